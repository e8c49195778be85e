/** Large replies: packed frames compared with separate ones. */
import type { Contender, Launch } from '../lib/contender.ts';
import { ask, startDriver, untilServed } from '../lib/driver.ts';
import type { LoadResult } from '../lib/load.ts';
import { interleave, ratio, ratioTarget, summarise } from '../lib/measure.ts';
import { type RouterEndpoints, startNaiveRouter, startProxy } from '../lib/peers.ts';
import { type Context, type Report, type Scenario, splitOf } from '../lib/scenario.ts';
import { missingBuild } from '../lib/zeromq-gateway.ts';
import { processNamed, startBareRouter } from './queue.ts';

const PACKED = 'zeromq-gateway, packed';
const CLASSIC = 'zeromq-gateway, classic frames';
const UNPACKED = 'JS router, unpacked';
const PROXY = 'libzmq Proxy';

interface Size {
  readonly name: string;
  readonly label: string;
  readonly bytes: number;
  readonly window: number;
}

const CONCURRENCY = 64;

type StartRouter = (launch: Launch) => Promise<RouterEndpoints>;

function contender(
  name: string,
  wire: string,
  start: StartRouter,
  does: string,
  missing = missingBuild,
): Contender {
  return {
    name,
    does,
    missing,
    async start(launch) {
      const { frontend, backend } = await start(launch);
      await startDriver(launch, 'worker', 'worker.ts', [wire, backend, '1', String(CONCURRENCY)]);
      await startDriver(launch, 'client', 'client.ts', [wire, frontend]);
      return frontend;
    },
  };
}

const ourRouter: StartRouter = async (launch) => {
  const router = await startBareRouter(launch, { classicConcurrency: CONCURRENCY });
  return JSON.parse(router.ready[1] ?? '') as RouterEndpoints;
};

const contenders: readonly Contender[] = [
  contender(
    UNPACKED,
    'bare',
    startNaiveRouter,
    'a router of a few lines of JavaScript that forwards one message at a time in the fewest possible frames; no request table, no limits, no deadlines',
    () => undefined,
  ),
  contender(
    PACKED,
    'packed',
    ourRouter,
    'records of one turn in one message, large bodies in their own frames; request table, limits, deadlines',
  ),
  contender(
    CLASSIC,
    'classic',
    ourRouter,
    'the same router with classic peers: one message per request; it also checks that their replies are JSON',
  ),
  contender(
    PROXY,
    'bare',
    (launch) => startProxy(launch, 'router'),
    'in C, the fewest possible frames; no request table, no limits, no deadlines',
    () => undefined,
  ),
];

async function compare({ name, label, bytes, window }: Size, context: Context): Promise<Report> {
  const title = `Replies of ${label}`;
  const present = contenders.filter((each) => each.missing?.() === undefined);
  const samples = await interleave(
    present,
    {
      prepare: async (each) => {
        await ask(processNamed(each, 'worker'), { replyBytes: bytes });
        await untilServed(processNamed(each, 'client'));
      },
      apply: async (each, seconds) => {
        const result = await ask<LoadResult>(processNamed(each, 'client'), { window, seconds });
        context.log(`${each.contender.name}: ${Math.round(result.requests / result.seconds)} round trips/s`);
        return result;
      },
    },
    context.effort,
  );
  return {
    name,
    title,
    about: `Client, router and worker processes, ${window} round trips in flight, each reply ${label}.`,
    columns: [
      { key: 'perSecond', title: 'Round trips/s' },
      { key: 'ratio', title: `× ${UNPACKED}`, digits: 2 },
      { key: 'p50', title: 'p50 ms', digits: 2 },
      { key: 'p99', title: 'p99 ms', digits: 2 },
      { key: 'errors', title: 'Errors' },
    ],
    rows: present.map((contender) => {
      const { perSecond, p50, p99, cpu, errors } = summarise(
        contender.name,
        samples.get(contender.name) ?? [],
      );
      const values = { perSecond, ratio: ratio(samples, contender.name, UNPACKED), p50, p99, errors };
      const highlighted = contender.name === PACKED || contender.name === CLASSIC;
      return { label: contender.name, values, split: splitOf(cpu), does: contender.does, highlighted };
    }),
    targets: samples.has(PACKED)
      ? [
          {
            key: name,
            what: `${title}, packed`,
            against: 'unpacked frames through a JS router',
            bound: 'at least',
            want: 1,
            ...ratioTarget(samples, { name: PACKED, reference: UNPACKED }),
          },
        ]
      : [],
    drawn: 'perSecond',
    skipped: contenders.flatMap((each) =>
      each.missing?.() === undefined ? [] : [`${each.name} (${each.missing()})`],
    ),
  };
}

function scenario(size: Size): Scenario {
  return { name: size.name, title: `Replies of ${size.label}`, run: (context) => compare(size, context) };
}

export const replyScenarios: readonly Scenario[] = [
  scenario({ name: 'replies-10k', label: '10 kB', bytes: 10_000, window: 64 }),
  scenario({ name: 'replies-1m', label: '1 MB', bytes: 1_000_000, window: 8 }),
];
