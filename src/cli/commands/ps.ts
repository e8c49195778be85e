/** `zeromq-gateway ps`: lists the workers of a router. */
import { printable } from '../../core/identity/worker-name.ts';
import type { WorkerReport } from '../../core/observability/reports.ts';
import { ADMIN_CLIENT_SETTINGS, withRouterAdmin } from '../admin/router-admin-client.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { EXIT } from '../settings/errors.ts';
import type { ValuesOf } from '../settings/settings.ts';
import { type Column, duration, tableOf } from '../terminal/table.ts';

/** Width, in characters, from which all columns are shown. */
const WIDE = 100;

interface WorkerColumn {
  readonly column: Column;
  /** Whether it is left out of a narrow table. */
  readonly wide?: boolean;
  /** Whether it is left out if it is empty. */
  readonly optional?: boolean;
  readonly cell: (worker: WorkerReport) => string;
}

const COLUMNS: readonly WorkerColumn[] = [
  { column: ['WORKER'], cell: ({ id, name = printable(id) }) => name },
  { column: ['STATE'], cell: ({ state }) => state },
  { column: ['KIND'], wide: true, cell: ({ classic }) => (classic ? 'classic' : 'native') },
  { column: ['IN FLIGHT', 'right'], cell: ({ inFlight, concurrency }) => `${inFlight}/${concurrency}` },
  { column: ['AGE', 'right'], cell: ({ age }) => duration(age) },
  {
    column: ['LAST HEARTBEAT', 'right'],
    wide: true,
    cell: ({ heartbeat }) => (heartbeat === null ? '-' : duration(heartbeat.silentFor)),
  },
  {
    column: ['OLDEST REQUEST'],
    wide: true,
    cell: ({ oldest }) => (oldest ? `${printable(oldest.event)} ${duration(oldest.heldFor)}` : '-'),
  },
  {
    column: ['HOST:PID'],
    wide: true,
    cell: ({ host = '', pid }) => printable(pid === undefined ? host : `${host}:${pid}`),
  },
  { column: ['PACKAGE'], wide: true, cell: ({ package: release = '' }) => printable(release) },
  {
    column: ['CONTRACT'],
    wide: true,
    cell: ({ contract = '', version }) =>
      printable(version === undefined ? contract : `${contract}@${version}`),
  },
  { column: ['ZONE'], optional: true, cell: ({ zone = '' }) => printable(zone) },
  { column: ['KEY'], wide: true, cell: ({ key = '' }) => printable(key) },
  { column: ['EVENTS'], cell: ({ events }) => (events === null ? '*' : events.join(',')) },
  {
    column: ['BREAKERS'],
    cell: ({ breakers = [] }) => breakers.map((breaker) => `${breaker.event} ${breaker.state}`).join(', '),
  },
];

/**
 * Formats the table of workers.
 *
 * @param width maximum width of a line, in characters. A narrow table leaves out kind and heartbeat,
 *   and breakers if all are closed.
 */
export function workersTable(workers: readonly WorkerReport[], width = Infinity): string[] {
  const shown = COLUMNS.filter(({ column: [title], wide, optional, cell }) => {
    if (optional === true && workers.every((worker) => cell(worker) === '')) return false;
    if (width >= WIDE) return true;
    return wide !== true && (title !== 'BREAKERS' || workers.some((worker) => cell(worker) !== ''));
  });
  return tableOf(
    shown.map(({ column }) => column),
    workers.map((worker) => shown.map(({ cell }) => cell(worker))),
    width,
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
    'List the workers of a router with their state, requests in flight and the oldest of them, host, process, contract, key, events ' +
    'and time since the last heartbeat.',
  settings: ADMIN_CLIENT_SETTINGS,
  examples: ['ps', 'ps --to tcp://10.0.0.1:5555 --json'],
  run: ps,
});
