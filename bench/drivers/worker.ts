/**
 * A worker that echoes requests, or replies with a set number of bytes, immediately or on command.
 * Arguments: wire, endpoint to connect to, number of events, concurrency.
 */
import { eventName, type HoldCommand, moment, type ReplyCommand } from './commands.ts';
import { serve } from './serve.ts';
import { wireOf } from './wires/index.ts';

const [wire = '', endpoint = '', events = '1', concurrency = '64'] = process.argv.slice(2);
const names = Array.from({ length: Number(events) }, (_, index) => eventName(index));
let filler: Buffer | undefined;
let held: (() => void)[] | undefined;

(await wireOf(wire)).connectWorker(
  endpoint,
  (body, reply) => {
    if (held === undefined) reply(filler ?? body);
    else held.push(() => reply(filler ?? body));
  },
  names,
  Number(concurrency),
);

function letGo(): number {
  const waiting = held ?? [];
  held = undefined;
  const at = moment();
  for (const reply of waiting) reply();
  return at;
}

serve<ReplyCommand | HoldCommand>('', (command) => {
  if ('hold' in command) {
    if (!command.hold) return Promise.resolve({ at: letGo() });
    held = [];
    return Promise.resolve({ at: moment() });
  }
  const { replyBytes } = command;
  filler =
    replyBytes === 0 ? undefined : Buffer.from(JSON.stringify('x'.repeat(Math.max(0, replyBytes - 2))));
  return Promise.resolve();
});
