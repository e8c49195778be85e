/** `zeromq-gateway ps`: lists the workers of a router. */
import type { WorkerReport } from '../../core/observability/reports.ts';
import { ADMIN_CLIENT_SETTINGS, withRouterAdmin } from '../admin/router-admin-client.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { EXIT } from '../settings/errors.ts';
import type { ValuesOf } from '../settings/settings.ts';
import { duration, tableOf } from '../terminal/table.ts';

/** Formats the table of workers. */
export function workersTable(workers: readonly WorkerReport[]): string[] {
  const rows = workers.map((worker) => {
    const { id, state, classic, inFlight, concurrency, age, heartbeat, events, breakers = [] } = worker;
    const heard = heartbeat === null ? '-' : duration(heartbeat.silentFor);
    const serves = events === null ? '*' : events.join(',');
    const open = breakers.map((breaker) => `${breaker.event} ${breaker.state}`).join(', ');
    return [
      id,
      state,
      classic ? 'classic' : 'native',
      `${inFlight}/${concurrency}`,
      duration(age),
      heard,
      serves,
      open,
    ];
  });
  return tableOf(
    [
      ['WORKER'],
      ['STATE'],
      ['KIND'],
      ['IN FLIGHT', 'right'],
      ['AGE', 'right'],
      ['LAST HEARTBEAT', 'right'],
      ['EVENTS'],
      ['BREAKERS'],
    ],
    rows,
  );
}

async function ps(values: ValuesOf<typeof ADMIN_CLIENT_SETTINGS>, context: CommandContext): Promise<number> {
  const { workers } = await withRouterAdmin(values, (admin) => admin.info());
  if (values.json) context.out(JSON.stringify(workers));
  else for (const line of workersTable(workers)) context.out(line);
  return EXIT.ok;
}

export const psCommand = defineCommand({
  name: 'ps',
  description:
    'List the workers of a router with their state, requests in flight, events and time since the last heartbeat.',
  settings: ADMIN_CLIENT_SETTINGS,
  examples: ['ps', 'ps --to tcp://10.0.0.1:5555 --json'],
  run: ps,
});
