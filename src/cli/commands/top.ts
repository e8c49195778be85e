/** `zeromq-gateway top`: shows the state of a router, live in a terminal. */
import { setTimeout as sleep } from 'node:timers/promises';
import { shortId } from '../../core/identity/worker-name.ts';
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
import { cut, duration, tableOf } from '../terminal/table.ts';
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
  const end = (): void => stop.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  const releaseKeys = isScreen(values, context) ? onQuitKey(context, end) : undefined;
  const { outputClosed } = context;
  const signal = outputClosed === undefined ? stop.signal : AbortSignal.any([stop.signal, outputClosed]);
  try {
    await withRouterAdmin(values, (admin) => watch(admin, values, context, signal));
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    releaseKeys?.();
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
  const screen = isScreen(values, context);
  const paint = painter(context.colours?.out);
  while (!signal.aborted) {
    await sleep(interval, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const view = await query(admin);
    if (json) context.out(JSON.stringify(view));
    else context.out(`${screen ? CLEAR : ''}${format(view, paint, context.columns?.()).join('\n')}`);
    if (once) return;
  }
}

/** Formats the result of one query. @param width maximum width of a line, in characters */
export function format({ info, stats }: RouterView, paint: Painter, width = Infinity): string[] {
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
    const when = `${new Date(at).toISOString()}  `;
    const rest = cut(`  ${event}  ${requestId}`.trimEnd(), width - when.length - code.length);
    return `${when}${paint('red', code)}${rest}`;
  });
  return [
    ...fold(
      [
        `router ${shortId(info.router)}`,
        `${info.state} for ${duration(info.age)}`,
        info.strategy,
        `${clients} clients`,
      ],
      width,
    ),
    ...fold(
      [
        `${all.rate.toFixed(1)} requests/s`,
        `p50 ${duration(all.p50)}`,
        `p99 ${duration(all.p99)}`,
        `${queued} queued`,
        `${dispatched} dispatched${streams}`,
      ],
      width,
    ).map((line, at) => (at === 0 ? line.replace(/^[^,]+/, (rate) => paint('bold', rate)) : line)),
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
      width,
    ),
    '',
    ...workersTable(info.workers, width),
    ...(last.length > 0 ? ['', 'Last errors', ...last] : []),
  ];
}

/** Joins facts with commas, in lines of at most `width` characters. */
function fold(facts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const fact of facts) {
    const line = lines.at(-1);
    const joined = `${line}, ${fact}`;
    if (line !== undefined && joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(cut(fact, width));
  }
  return lines;
}

/** Whether the output is a screen that is drawn again and again. */
function isScreen({ once, json }: Values, { colours }: CommandContext): boolean {
  return colours?.out === true && !once && !json;
}

/** Calls `quit` on the keys q and Ctrl-C. Returns a function that releases the keyboard. */
function onQuitKey({ input }: CommandContext, quit: () => void): (() => void) | undefined {
  if (input?.isTTY !== true) return undefined;
  const keyboard = input as NodeJS.ReadableStream & Partial<Pick<NodeJS.ReadStream, 'setRawMode'>>;
  const onData = (chunk: Buffer | string): void => {
    if (/[qQ\u0003]/.test(chunk.toString())) quit();
  };
  keyboard.setRawMode?.(true);
  keyboard.on('data', onData);
  keyboard.resume();
  return () => {
    keyboard.off('data', onData);
    keyboard.setRawMode?.(false);
    keyboard.pause();
  };
}

export const topCommand = defineCommand({
  name: 'top',
  description:
    'Show live statistics of a router: request rates, latency, queues, workers and recent errors. In a terminal it uses ' +
    'the whole screen; q or Ctrl-C ends it.',
  settings,
  examples: ['top', 'top --once --json', 'top --to tcp://10.0.0.1:5555 --interval 5000'],
  run: top,
});
