/** HTTP: the same echo served by every contender that supports HTTP. */
import type { Contender } from '../lib/contender.ts';
import { type Expectation, expectReply } from '../lib/expect.ts';
import { untilIdle } from '../lib/idle.ts';
import type { HttpLoad } from '../lib/load.ts';
import { interleave, type RatioPair, ratio, ratioTarget, type Samples, summarise } from '../lib/measure.ts';
import { httpPeers } from '../lib/peers.ts';
import { type Context, type Report, type Row, type Scenario, splitOf, type Target } from '../lib/scenario.ts';
import {
  embedded,
  embeddedWithoutThreads,
  gatewayWithRouter,
  separate,
  separateWithoutThreads,
} from '../lib/zeromq-gateway.ts';

/** A target for the ratio of two contenders. */
interface RatioTarget {
  readonly contender: string;
  readonly against: string;
  readonly want: number;
}

/** A target for the requests per second of a contender. */
interface RateTarget {
  readonly contender: string;
  readonly want: number;
}

/**
 * The metric of the ratios: requests per second (higher is better) or median latency (lower is
 * better).
 */
type Metric = 'perSecond' | 'p50';

/** A comparison of contenders that receive the same HTTP requests. */
export interface HttpComparison {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly contenders: readonly Contender[];
  readonly load: Omit<HttpLoad, 'origin' | 'seconds'>;
  /** Name of the contender with which the others are compared. */
  readonly reference: string;
  readonly metric: Metric;
  readonly targets: readonly RatioTarget[];
  readonly rates?: readonly RateTarget[];
  /**
   * The reply that each contender must send before it is measured.
   *
   * @defaultValue `{"message":"hello"}`
   */
  readonly expected?: Pick<Expectation, 'status' | 'reply'>;
  /** Whether contenders work on after their replies: the next one then waits until they are idle. */
  readonly background?: boolean;
  /**
   * How many times as long contenders are warmed up. V8 compiles after a number of calls, which takes
   * longer with fewer requests per second.
   *
   * @defaultValue 1
   */
  readonly warmups?: number;
}

const CONNECTIONS = 64;
const TITLES = { perSecond: 'Requests/s', p50: 'p50' } as const;

/**
 * Runs a comparison. Contenders that cannot run on this machine are skipped and listed with the
 * reason.
 */
export async function compareHttp(comparison: HttpComparison, context: Context): Promise<Report> {
  const { contenders, reference, metric } = comparison;
  const skipped = contenders.flatMap((each) => {
    const why = each.missing?.();
    return why === undefined ? [] : [`${each.name} (${why})`];
  });
  const present = contenders.filter((each) => each.missing?.() === undefined);
  const { path, body, headers } = comparison.load;
  const { expected = { reply: { message: 'hello' } }, background = false, warmups = 1 } = comparison;
  const samples = await interleave(
    present,
    {
      prepare: ({ at }) => expectReply({ url: at + path.replace('%d', '0'), body, headers, ...expected }),
      apply: async ({ at, contender, processes }, seconds) => {
        const result = await context.load.run({ ...comparison.load, origin: at, seconds });
        context.log(`${contender.name}: ${Math.round(result.requests / result.seconds)} requests/s`);
        if (background) await untilIdle(processes);
        return result;
      },
    },
    { ...context.effort, warmup: context.effort.warmup * warmups },
    comparison.targets.map((target) => pairOf(comparison, target)),
  );
  return {
    name: comparison.name,
    title: comparison.title,
    about: comparison.about,
    columns: [
      { key: 'perSecond', title: 'Requests/s' },
      { key: 'ratio', title: `${TITLES[metric]} × ${reference}`, digits: 2 },
      { key: 'cpu', title: 'CPU µs a request' },
      { key: 'p50', title: 'p50 ms', digits: 2 },
      { key: 'p99', title: 'p99 ms', digits: 2 },
      { key: 'memory', title: 'Memory MiB' },
      { key: 'errors', title: 'Errors' },
    ],
    rows: present.map((contender) => rowOf(contender, samples, comparison)),
    targets: [
      ...comparison.targets.flatMap((target) => targetOf(comparison, target, samples)),
      ...(comparison.rates ?? []).flatMap((target) => rateOf(comparison, target, samples)),
    ],
    drawn: metric,
    skipped,
  };
}

function rowOf({ name, does }: Contender, samples: Samples, { reference, metric }: HttpComparison): Row {
  const summary = summarise(name, samples.get(name) ?? []);
  const { perSecond, p50, p99, errors, cpuTotal, rss } = summary;
  return {
    label: name,
    values: {
      perSecond,
      ratio: ratio(samples, name, reference, (sample) => sample[metric]),
      cpu: cpuTotal,
      p50,
      p99,
      memory: rss / 2 ** 20,
      errors,
    },
    split: splitOf(summary.cpu),
    does,
    highlighted: name.startsWith('zeromq-gateway') || / rows$/.test(name),
  };
}

function pairOf({ metric }: HttpComparison, { contender, against }: RatioTarget): RatioPair {
  return { name: contender, reference: against, pick: (sample) => sample[metric] };
}

function targetOf(comparison: HttpComparison, target: RatioTarget, samples: Samples): Target[] {
  const { name, title, metric } = comparison;
  if (!samples.has(target.contender) || !samples.has(target.against)) return [];
  return [
    {
      key: `${name}: ${target.contender} / ${target.against}`,
      what: `${title}, ${target.contender}`,
      against: target.against,
      bound: metric === 'p50' ? 'at most' : 'at least',
      want: target.want,
      ...ratioTarget(samples, pairOf(comparison, target)),
    },
  ];
}

function rateOf(
  { name, title }: HttpComparison,
  { contender, want }: RateTarget,
  samples: Samples,
): Target[] {
  const measured = samples.get(contender);
  if (measured === undefined) return [];
  const value = summarise(contender, measured).perSecond;
  const what = `${title}, ${contender}`;
  const key = `${name}: ${contender}`;
  return [{ key, what, against: '–', bound: 'at least', want, value, unit: ' requests/s' }];
}

/** GET echo with 64 connections. */
export const getEcho: HttpComparison = {
  name: 'http-get',
  title: 'GET echo, 64 connections',
  about: 'GET /echo/hello over 64 kept-alive connections; the reply is {"message":"hello"}.',
  contenders: [embedded, gatewayWithRouter, separate, ...httpPeers],
  load: { path: '/echo/hello', connections: CONNECTIONS },
  reference: 'Express',
  metric: 'perSecond',
  targets: [
    { contender: embedded.name, against: 'Express', want: 3 },
    { contender: separate.name, against: 'Express', want: 2.2 },
    { contender: separate.name, against: 'moleculer-web, TCP', want: 1.2 },
    { contender: embedded.name, against: 'moleculer-web, TCP', want: 1.5 },
    { contender: gatewayWithRouter.name, against: 'moleculer-web, TCP', want: 1.6 },
    { contender: separate.name, against: 'moleculer-web, NATS', want: 1.5 },
    { contender: separate.name, against: 'Nest, NATS', want: 3 },
    { contender: separate.name, against: 'Express + Request pool + Proxy', want: 2.5 },
  ],
};

/** POST echo with 64 connections. */
export const postEcho: HttpComparison = {
  name: 'http-post',
  title: 'POST echo with validation, 64 connections',
  about:
    'POST /echo with {"message":"hello"} over 64 kept-alive connections; contenders that validate say so.',
  contenders: [embedded, separate, ...httpPeers],
  load: { path: '/echo', body: '{"message":"hello"}', connections: CONNECTIONS },
  reference: 'Express',
  metric: 'perSecond',
  targets: [{ contender: embedded.name, against: 'Express', want: 2.5 }],
};

/** Latency with one connection. */
const latency: HttpComparison = {
  name: 'http-latency',
  title: 'Latency of GET echo, one connection',
  about: 'GET /echo/hello over one kept-alive connection, one request after the other.',
  contenders: [
    embedded,
    embeddedWithoutThreads,
    gatewayWithRouter,
    separate,
    separateWithoutThreads,
    ...httpPeers,
  ],
  load: { path: '/echo/hello', connections: 1 },
  reference: 'Express',
  metric: 'p50',
  warmups: 3,
  targets: [
    { contender: embedded.name, against: 'Express', want: 1.6 },
    { contender: gatewayWithRouter.name, against: 'Express', want: 4 },
    { contender: separate.name, against: 'Express + Request pool + Proxy', want: 0.9 },
    { contender: separateWithoutThreads.name, against: 'Express + Request pool + Proxy', want: 0.9 },
  ],
};

/** A scenario that runs a comparison. */
export function httpScenario(comparison: HttpComparison): Scenario {
  return {
    name: comparison.name,
    title: comparison.title,
    run: (context) => compareHttp(comparison, context),
  };
}

export const httpScenarios: readonly Scenario[] = [getEcho, postEcho, latency].map(httpScenario);
