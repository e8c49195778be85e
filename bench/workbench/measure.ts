/** Measurements of a service during development: its test, and saves while requests arrive. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startProcess } from '../lib/process.ts';
import type { Contender } from './contenders.ts';

/** Number of clients that send one request after the other. */
const CLIENTS = 8;
/** Maximum time in ms until a change is served. */
const PATIENCE = 60_000;
/** Time in ms between two saves. */
const PAUSE = 1000;

/** Results of saves under load. */
export interface Reload {
  /** Time from each save until a reply shows it, in ms. */
  readonly times: readonly number[];
  readonly requests: number;
  /** Requests that failed, or were not answered with 200. */
  readonly failed: number;
}

/**
 * Runs the test of a service, and returns its duration in ms.
 *
 * @throws {Error} with its output when the test fails.
 */
export function testTime({ name, test }: Contender, folder: string): number {
  const started = performance.now();
  for (const args of test) {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
    if (status !== 0) throw new Error(`${name}: ${args.join(' ')}\n${stdout}\n${stderr}`);
  }
  return performance.now() - started;
}

/**
 * Runs a service for development, changes its source a few times while clients send requests, and
 * measures how long the change takes and how many requests fail.
 */
export async function reloads(contender: Contender, folder: string, saves: number): Promise<Reload> {
  const [port, owners] = await Promise.all([freePort(), freePort()]);
  const running = await startProcess({
    name: contender.name,
    command: 'env',
    args: ['-C', folder, process.execPath, ...contender.dev(port)],
    env: { PORT: String(port), OWNERS_PORT: String(owners) },
    ready: /\S/,
  });
  try {
    const url = `http://127.0.0.1:${port}/tasks/1`;
    await until(url, 'Write docs');
    return await underLoad(url, path.join(folder, contender.edited), saves);
  } finally {
    await running.stop();
  }
}

async function underLoad(url: string, file: string, saves: number): Promise<Reload> {
  const source = readFileSync(file, 'utf8');
  const counts = { requests: 0, failed: 0 };
  const end = new AbortController();
  const clients = Array.from({ length: CLIENTS }, () => send(url, counts, end.signal));
  const times: number[] = [];
  try {
    for (let save = 1; save <= saves; save += 1) {
      await delay(PAUSE);
      const title = `Write docs ${save}`;
      const started = performance.now();
      writeFileSync(file, source.replace('Write docs', title));
      await until(url, title);
      times.push(performance.now() - started);
    }
    await delay(PAUSE);
  } finally {
    end.abort();
    await Promise.all(clients);
    writeFileSync(file, source);
  }
  return { times, ...counts };
}

/** Sends one request after the other. A refused connection counts as one failed request per 10 ms. */
async function send(
  url: string,
  counts: { requests: number; failed: number },
  end: AbortSignal,
): Promise<void> {
  while (!end.aborted) {
    const title = await titleAt(url);
    counts.requests += 1;
    if (title === undefined) counts.failed += 1;
    await delay(title === undefined ? 10 : 1);
  }
}

async function titleAt(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    const { title } = (await response.json()) as { title?: string };
    return response.status === 200 ? title : undefined;
  } catch {
    return undefined;
  }
}

async function until(url: string, title: string): Promise<void> {
  const end = performance.now() + PATIENCE;
  while ((await titleAt(url)) !== title) {
    if (performance.now() > end) throw new Error(`${url} did not serve ${title} within ${PATIENCE} ms`);
    await delay(5);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
