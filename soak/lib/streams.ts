/** Memory and fairness of streams, measured on a gateway, a router and a worker in processes of their own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type RunningContender, withContenders } from '../../bench/lib/contender.ts';
import { usageOf } from '../../bench/lib/proc-fs.ts';
import { percentile } from '../../bench/lib/stats.ts';
import { separateStreams } from '../../bench/lib/zeromq-gateway.ts';

const run = promisify(execFile);
const MIB = 2 ** 20;

/** How often memory is sampled, in ms. */
const SAMPLE_INTERVAL = 50;

/** Bytes of the transfers before the idle memory is measured: code is compiled and pools are filled. */
const WARM_UP = 256 * MIB;

/** Growth of the memory of each process above idle, in MiB. */
export type Growth = Readonly<Record<string, number>>;

/** What was measured. */
export interface StreamMeasurements {
  /** Growth by transfer: `download`, `upload`, `slow download`, `slow upload`. */
  readonly growth: Readonly<Record<string, Growth>>;
  /** p99 of small requests in ms, alone and beside a download. */
  readonly alone: number;
  readonly beside: number;
}

/** Sizes of the measurement. */
export interface StreamSizes {
  /** Bytes of a transfer at full speed. */
  readonly bytes: number;
  /** Bytes of a transfer with a limited rate, and the rate in bytes per second. */
  readonly slowBytes: number;
  readonly slowRate: number;
  /** Number of small requests of each measurement. */
  readonly requests: number;
}

/** Measures streams. Rejects if a transfer is incomplete. */
export function measureStreams(sizes: StreamSizes, log: (line: string) => void): Promise<StreamMeasurements> {
  return withContenders([separateStreams], async ([running]) => {
    if (running === undefined) throw new Error('the contender did not start');
    const { at } = running;
    const warmUp = Math.min(WARM_UP, sizes.bytes);
    await download(at, warmUp);
    await upload(at, warmUp);
    const { bytes, slowBytes, slowRate, requests } = sizes;
    const transfers: [string, () => Promise<void>][] = [
      ['download', () => download(at, bytes)],
      ['upload', () => upload(at, bytes)],
      ['slow download', () => download(at, slowBytes, slowRate)],
      ['slow upload', () => upload(at, slowBytes, slowRate)],
    ];
    const growth: Record<string, Growth> = {};
    for (const [name, transfer] of transfers) {
      growth[name] = await growthWhile(running, transfer);
      log(`${name}: ${textOf(growth[name])}`);
    }
    const alone = await latency(at, requests);
    log(`p99 of small requests alone: ${alone.toFixed(2)} ms`);
    const beside = await besideDownload(at, bytes, () => latency(at, requests));
    log(`p99 of small requests beside a download: ${beside.toFixed(2)} ms`);
    return { growth, alone, beside };
  });
}

function textOf(growth: Growth): string {
  return Object.entries(growth)
    .map(([name, mebibytes]) => `${name} +${mebibytes.toFixed(0)} MiB`)
    .join(', ');
}

/** The highest memory of each process during a transfer, above that before it. */
async function growthWhile({ processes }: RunningContender, transfer: () => Promise<void>): Promise<Growth> {
  const memory = (): number[] => processes.map(({ pid }) => usageOf(pid).rss / MIB);
  const idle = memory();
  const highest = [...idle];
  const timer = setInterval(() => {
    memory().forEach((now, i) => (highest[i] = Math.max(highest[i] ?? 0, now)));
  }, SAMPLE_INTERVAL);
  try {
    await transfer();
  } finally {
    clearInterval(timer);
  }
  return Object.fromEntries(processes.map(({ name }, i) => [name, (highest[i] ?? 0) - (idle[i] ?? 0)]));
}

async function download(origin: string, bytes: number, rate?: number): Promise<void> {
  const { stdout } = await curl([...limit(rate), '-w', '%{size_download}', `${origin}/bytes/${bytes}`]);
  if (Number(stdout) !== bytes) throw new Error(`downloaded ${stdout} of ${bytes} bytes`);
}

async function upload(origin: string, bytes: number, rate?: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'soak-upload-'));
  try {
    const file = path.join(folder, 'zeros');
    writeFileSync(file, '');
    truncateSync(file, bytes);
    const type = ['-H', 'content-type: application/octet-stream'];
    const args = [
      ...limit(rate),
      '-w',
      '%{http_code} %{size_upload}',
      ...type,
      '-T',
      file,
      `${origin}/bytes`,
    ];
    const { stdout } = await curl(args);
    if (stdout !== `200 ${bytes}`) throw new Error(`an upload of ${bytes} bytes ended with ${stdout}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function limit(rate: number | undefined): string[] {
  return rate === undefined ? [] : ['--limit-rate', String(rate)];
}

function curl(args: readonly string[]): Promise<{ stdout: string }> {
  return run('curl', ['-sS', '--fail', '-o', '/dev/null', ...args]);
}

/** The p99 of sequential small requests, in ms. */
async function latency(origin: string, requests: number): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < requests; count += 1) {
    const start = performance.now();
    const response = await fetch(`${origin}/ping`);
    if (!response.ok) throw new Error(`a small request ended with ${response.status}`);
    await response.arrayBuffer();
    times.push(performance.now() - start);
  }
  return percentile(times, 0.99);
}

/** Measures while one download after the other runs. */
async function besideDownload(
  origin: string,
  bytes: number,
  measure: () => Promise<number>,
): Promise<number> {
  const stop = new AbortController();
  const downloads = (async () => {
    while (!stop.signal.aborted) await download(origin, bytes);
  })();
  // The download has begun to run at full speed.
  await sleep(500);
  const measured = await measure();
  stop.abort();
  await downloads;
  return measured;
}
