/** The router alone: round trips with minimal work in client and worker. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Contender, RunningContender } from '../lib/contender.ts';
import { ask, startDriver, untilServed } from '../lib/driver.ts';
import type { LoadResult } from '../lib/load.ts';
import { PYTHON } from '../lib/machine.ts';
import { interleave, type RatioPair, ratio, ratioTarget, type Samples, summarise } from '../lib/measure.ts';
import { missingPython, pythonFile, startNaiveRouter, startProxy, startPython } from '../lib/peers.ts';
import { type Context, type Report, type Row, type Scenario, splitOf } from '../lib/scenario.ts';
import { missingBuild, startRouter } from '../lib/zeromq-gateway.ts';

const PROXY = 'libzmq Proxy';
const PACKED = 'zeromq-gateway, packed';
const NAIVE = 'JS router, unpacked';
const PAIR: RatioPair = { name: PACKED, reference: PROXY };
const FRAMEWORK = 'zeromq-gateway, public classes';
const PYTHON_CLASSIC = 'Python, classic';
const DRIVER = 'client';

const everyone: readonly Contender[] = [
  {
    name: PROXY,
    does: 'in C, in a thread; bare sockets and one frame per message on both sides; no request table, no deadlines, no limits, no events, blind round robin',
    async start(launch) {
      const { frontend, backend } = await startProxy(launch, 'router');
      await startDriver(launch, 'worker', 'worker.ts', ['bare', backend]);
      await startDriver(launch, DRIVER, 'client.ts', ['bare', frontend]);
      return frontend;
    },
  },
  {
    name: PACKED,
    does: 'bare packed records on both sides; request table, deadlines, credit, a bounded queue for each event, heartbeats',
    missing: missingBuild,
    async start(launch) {
      const { frontend, backend } = await startRouter(launch);
      await startDriver(launch, 'worker', 'worker.ts', ['packed', backend, '1', '1024']);
      await startDriver(launch, DRIVER, 'client.ts', ['packed', frontend]);
      return frontend;
    },
  },
  {
    name: FRAMEWORK,
    does: 'the public classes on both sides: handlers called with parsed JSON, deadlines, limits, heartbeats',
    missing: missingBuild,
    async start(launch) {
      const { frontend, backend } = await startRouter(launch);
      await startDriver(launch, 'worker', 'worker.ts', ['framework', backend, '1', '1024']);
      await startDriver(launch, DRIVER, 'client.ts', ['framework', frontend]);
      return frontend;
    },
  },
  {
    name: PYTHON_CLASSIC,
    does: 'pyzmq with classic frames: REQ sockets (their CPU not counted), zmq.proxy, a worker that parses and serialises JSON, one request at a time',
    missing: missingPython,
    start: (launch) => startPython(launch),
  },
];

const naive: Contender = {
  name: NAIVE,
  does: 'bare sockets on both sides, as for libzmq; a router of ten lines of JavaScript that forwards one message at a time',
  async start(launch) {
    const { frontend, backend } = await startNaiveRouter(launch);
    await startDriver(launch, 'worker', 'worker.ts', ['bare', backend]);
    await startDriver(launch, DRIVER, 'client.ts', ['bare', frontend]);
    return frontend;
  },
};

async function roundTrips(running: RunningContender, window: number, seconds: number): Promise<LoadResult> {
  const driver = running.processes.find(({ name }) => name === DRIVER);
  if (driver !== undefined) return ask<LoadResult>(driver, { window, seconds });
  const args = [pythonFile('client'), running.at, String(window), String(seconds)];
  const { stdout } = await promisify(execFile)(PYTHON, args, { timeout: seconds * 1000 + 20_000 });
  return JSON.parse(stdout) as LoadResult;
}

async function compare(
  name: string,
  title: string,
  window: number,
  want: number,
  contenders: readonly Contender[],
  context: Context,
): Promise<Report> {
  const present = contenders.filter((each) => each.missing?.() === undefined);
  const samples = await interleave(
    present,
    {
      prepare: async ({ processes }) => {
        const client = processes.find((each) => each.name === DRIVER);
        if (client !== undefined) await untilServed(client);
      },
      apply: async (each, seconds) => {
        const result = await roundTrips(each, window, seconds);
        context.log(`${each.contender.name}: ${Math.round(result.requests / result.seconds)} round trips/s`);
        return result;
      },
    },
    context.effort,
    [PAIR],
  );
  return {
    name,
    title,
    about: `Client, router and worker processes, ${window} round trips of {"message":"hello"} in flight.`,
    columns: [
      { key: 'perSecond', title: 'Round trips/s' },
      { key: 'ratio', title: `× ${PROXY}`, digits: 2 },
      { key: 'router', title: 'CPU µs a round trip, router', digits: 1 },
      { key: 'p50', title: 'p50 ms', digits: 2 },
      { key: 'p99', title: 'p99 ms', digits: 2 },
      { key: 'errors', title: 'Errors' },
    ],
    rows: present.map((contender) => rowOf(contender, samples)),
    targets: samples.has(PACKED)
      ? [
          {
            key: `${name}: ${PACKED} / ${PROXY}`,
            what: title,
            against: `${PROXY} with bare sockets`,
            bound: 'at least',
            want,
            ...ratioTarget(samples, PAIR),
          },
        ]
      : [],
    drawn: 'perSecond',
    skipped: contenders.flatMap((each) => {
      const why = each.missing?.();
      return why === undefined ? [] : [`${each.name} (${why})`];
    }),
  };
}

function rowOf({ name, does }: Contender, samples: Samples): Row {
  const { perSecond, p50, p99, cpu, errors } = summarise(name, samples.get(name) ?? []);
  return {
    label: name,
    values: {
      perSecond,
      ratio: ratio(samples, name, PROXY),
      router: cpu.router ?? Number.NaN,
      p50,
      p99,
      errors,
    },
    split: splitOf(cpu),
    does,
    highlighted: name === PACKED || name === FRAMEWORK,
  };
}

/** Contenders whose ratio has a target. */
export const rivals: readonly Contender[] = everyone.filter(({ name }) => name === PROXY || name === PACKED);

/** Contenders of round trips one at a time. */
export const oneAtATime: readonly Contender[] = [
  ...everyone.filter(({ name }) => name !== PYTHON_CLASSIC),
  naive,
];

/** Round trips with a window of this size. `want` is the target ratio. */
export function routerScenario(window: number, want: number, contenders = everyone): Scenario {
  const name = `router-${window}`;
  const title = `Round trips through the router alone, ${window === 1 ? 'one at a time' : `window ${window}`}`;
  return { name, title, run: (context) => compare(name, title, window, want, contenders, context) };
}

export const routerScenarios: readonly Scenario[] = [
  routerScenario(1, 0.87, oneAtATime),
  routerScenario(64, 1),
  routerScenario(512, 2),
];
