/**
 * A client that keeps a window of requests in flight or sends a burst. Arguments: wire, endpoint to
 * connect to.
 */
import { type BurstCommand, eventName, moment, type RunCommand } from './commands.ts';
import { serve } from './serve.ts';
import { runWindow } from './window.ts';
import { wireOf } from './wires/index.ts';

const BODY = Buffer.from('{"message":"hello"}');
const TIMEOUT = 5000;
const BURST_TIMEOUT = 120_000;

const [wire = '', endpoint = ''] = process.argv.slice(2);
const client = (await wireOf(wire)).connectClient(endpoint);

function run({ window, seconds, events = 1 }: RunCommand): Promise<unknown> {
  const names = Array.from({ length: events }, (_, index) => eventName(index));
  let turn = 0;
  return runWindow(
    (slot, done) => {
      turn = turn + 1 < events ? turn + 1 : 0;
      client.request(slot, names[turn] ?? '', BODY, TIMEOUT, done);
    },
    window,
    seconds,
  );
}

function burst(count: number): Promise<{ at: number; errors: number }> {
  return new Promise((resolve) => {
    let left = count;
    let errors = 0;
    const done = (ok: boolean): void => {
      left -= 1;
      if (!ok) errors += 1;
      if (left === 0) resolve({ at: moment(), errors });
    };
    for (let slot = 0; slot < count; slot += 1) client.request(slot, eventName(0), BODY, BURST_TIMEOUT, done);
  });
}

serve<RunCommand | BurstCommand>('', (command) => ('burst' in command ? burst(command.burst) : run(command)));
