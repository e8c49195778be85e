/** `zeromq-gateway top`: shows the state of a router, live in a terminal. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RouterReport } from '../../core/observability/reports.ts';
import {
  ADMIN_CLIENT_SETTINGS,
  type RouterAdminClient,
  type RouterStatsReport,
  withRouterAdmin,
} from '../admin/router-admin-client.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { EXIT } from '../settings/errors.ts';
import { setting, type ValuesOf } from '../settings/settings.ts';
import { booleanFlag, milliseconds } from '../settings/value-types.ts';
import { type Painter, painter } from '../terminal/colours.ts';
import { duration, tableOf } from '../terminal/table.ts';
import { notesOf } from './events.ts';
import { workersTable } from './ps.ts';

const settings = {
  once: setting(booleanFlag, { description: 'Print once, after one interval, and exit', default: false }),
  interval: setting(milliseconds, { description: 'Refresh interval', default: 1000 }),
  ...ADMIN_CLIENT_SETTINGS,
};

type Values = ValuesOf<typeof settings>;

/** Clears the screen and moves the cursor to its start. */
const CLEAR = '\u001b[2J\u001b[H';

/** Maximum number of failures shown. */
const FAILURES = 5;

interface RouterView {
  readonly info: RouterReport;
  readonly stats: RouterStatsReport;
}

async function query(admin: RouterAdminClient): Promise<RouterView> {
  const [info, stats] = await Promise.all([admin.info(), admin.stats()]);
  return { info, stats };
}

async function top(values: Values, context: CommandContext): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    await withRouterAdmin(values, (admin) => watch(admin, values, context, stop.signal));
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
  return EXIT.ok;
}

/**
 * The first query makes the router start to count, so figures are available from the second query
 * on.
 */
async function watch(
  admin: RouterAdminClient,
  values: Values,
  context: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  const { once, interval, json } = values;
  await admin.stats();
  const screen = context.colours?.out === true && !once && !json;
  const paint = painter(context.colours?.out);
  while (!signal.aborted) {
    await sleep(interval, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const view = await query(admin);
    if (json) context.out(JSON.stringify(view));
    else context.out(`${screen ? CLEAR : ''}${format(view, paint).join('\n')}`);
    if (once) return;
  }
}

/** Formats the result of one query. */
export function format({ info, stats }: RouterView, paint: Painter): string[] {
  const { all, events, failures } = stats;
  const { queued, dispatched, clients, openStreams = 0 } = info.totals;
  const streams = openStreams === 0 ? '' : `, ${openStreams} ${openStreams === 1 ? 'stream' : 'streams'}`;
  const reports = new Map(info.events.map((report) => [report.name, report]));
  const rows = events.map(({ event, rate, p50, p99, failed }) => {
    const report = reports.get(event);
    const notes = report === undefined ? '' : notesOf(report);
    const share = `${(failed * 100).toFixed(1)} %`;
    return [event, rate.toFixed(1), duration(p50), duration(p99), share, String(report?.queued ?? 0), notes];
  });
  const last = failures.slice(0, FAILURES).map(({ at, code, event, requestId }) => {
    return `${new Date(at).toISOString()}  ${paint('red', code)}  ${event}  ${requestId}`.trimEnd();
  });
  return [
    `router ${info.router}, ${info.state} for ${duration(info.age)}, ${info.strategy}, ${clients} clients`,
    `${paint('bold', `${all.rate.toFixed(1)} requests/s`)}, p50 ${duration(all.p50)}, p99 ${duration(all.p99)}, ` +
      `${queued} queued, ${dispatched} dispatched${streams}`,
    '',
    ...tableOf(
      [
        ['EVENT'],
        ['REQ/S', 'right'],
        ['P50', 'right'],
        ['P99', 'right'],
        ['FAILED', 'right'],
        ['QUEUED', 'right'],
        [''],
      ],
      rows,
    ),
    '',
    ...workersTable(info.workers),
    ...(last.length > 0 ? ['', 'Last errors', ...last] : []),
  ];
}

export const topCommand = defineCommand({
  name: 'top',
  description:
    'Show live statistics of a router: request rates, latency, queues, workers and recent errors. In a terminal it uses ' +
    'the whole screen; Ctrl-C ends it.',
  settings,
  examples: ['top', 'top --once --json', 'top --to tcp://10.0.0.1:5555 --interval 5000'],
  run: top,
});
