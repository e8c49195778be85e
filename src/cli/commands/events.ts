/** `zeromq-gateway events`: lists the events of a router. */
import type { EventReport } from '../../core/observability/reports.ts';
import { ADMIN_CLIENT_SETTINGS, withRouterAdmin } from '../admin/router-admin-client.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { EXIT } from '../settings/errors.ts';
import type { ValuesOf } from '../settings/settings.ts';
import { tableOf } from '../terminal/table.ts';

async function listEvents(
  values: ValuesOf<typeof ADMIN_CLIENT_SETTINGS>,
  context: CommandContext,
): Promise<number> {
  const { events } = await withRouterAdmin(values, (admin) => admin.info());
  if (values.json) {
    context.out(JSON.stringify(events));
    return EXIT.ok;
  }
  const hasVersions = events.some(({ versions = [] }) => versions.length > 0);
  const rows = events.map((event) => {
    const versions = hasVersions ? [versionsOf(event)] : [];
    return [event.name, String(event.workers), String(event.queued), ...versions, notesOf(event)];
  });
  const versions = hasVersions ? ([['VERSIONS']] as const) : [];
  const columns = [['EVENT'], ['WORKERS', 'right'], ['QUEUED', 'right'], ...versions, ['']] as const;
  for (const line of tableOf(columns, rows)) context.out(line);
  return EXIT.ok;
}

/** Describes the versions of an event with their shares of the requests. */
function versionsOf({ versions = [] }: EventReport): string {
  return versions
    .map(({ version, share, workers }) => {
      const name = version ?? 'none';
      return share === null
        ? `${name} (${workers})`
        : `${name} (${workers}, ${Math.round(share * 10) / 10} %)`;
    })
    .join(', ');
}

/** Describes states of an event that need an operator's attention. */
export function notesOf({
  announced,
  left = false,
  workers,
  paused,
  breaker = 'closed',
  tripped = 0,
}: EventReport): string {
  const notes = [
    paused && 'paused',
    left ? 'its workers have left' : !announced && 'not announced',
    breaker !== 'closed' && `circuit breaker ${breaker}`,
    tripped > 0 && `circuit breaker not closed at ${tripped} of ${workers} workers`,
  ];
  return notes.filter(Boolean).join(', ');
}

export const eventsCommand = defineCommand({
  name: 'events',
  description:
    'List the events of a router with their number of workers and of queued requests, and with the versions of their ' +
    'contracts.',
  settings: ADMIN_CLIENT_SETTINGS,
  examples: ['events', 'events --to tcp://10.0.0.1:5555 --json'],
  run: listEvents,
});
