/** A worker with streams of every kind behind a gateway: embedded, or in separate connections. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import Joi from 'joi';
import { ApiRegistry, contractChecker, type GatewayOptions } from '../../../src/gateway/index.ts';
import {
  bytes,
  defineContract,
  event,
  type Handlers,
  ndjson,
  silentLogger,
  sse,
  stream,
  upload,
  ZeroMQClient,
  ZeroMQRouter,
  ZeroMQWorker,
} from '../../../src/index.ts';
import { PATIENT } from '../patience.ts';
import { untilJoined } from '../published.ts';
import type { Cleanup } from '../scope.ts';
import { type Hosted, ownServer } from './hosts.ts';

const ANY = 'tcp://127.0.0.1:0';
const count = Joi.object<{ count: number }>({ count: Joi.number().integer().required() });
const number = Joi.object<{ n: number }>({ n: Joi.number().integer().required() });

/** How gateway, router and worker are connected. */
export type Mode = 'embedded' | 'separate';
export const MODES: readonly Mode[] = ['embedded', 'separate'];

/** The text of one event or item: characters of one to four bytes. */
export const TEXT = 'aä€😀';

export const streamContract = defineContract({
  name: 'streams',
  events: {
    'events.watch': {
      method: 'GET',
      path: '/events/{count}',
      data: count,
      replies: { 200: sse(number, { resumable: true }) },
    },
    'lines.list': { method: 'GET', path: '/lines/{count}', data: count, replies: { 200: ndjson(number) } },
    'bytes.get': {
      method: 'GET',
      path: '/bytes/{count}',
      data: count,
      replies: { 200: bytes('application/octet-stream', { ranges: true }) },
    },
    'broken.get': { method: 'GET', path: '/broken', replies: { 200: bytes() } },
    'broken.watch': { method: 'GET', path: '/broken-events', replies: { 200: sse(number) } },
    'text.get': { method: 'GET', path: '/text', replies: { 200: bytes('application/x-text') } },
    'bytes.put': { method: 'PUT', path: '/bytes', body: upload({ contentType: '*/*' }) },
    'form.post': {
      method: 'POST',
      path: '/form',
      data: Joi.object<{ title: string }>({ title: Joi.string().required() }),
      body: upload({ files: { photo: { required: true } }, maxFiles: 3 }),
    },
  },
});

/** What the worker has seen. */
export interface Seen {
  /** Reasons of aborted signals. */
  readonly aborted: string[];
}

/** Bytes with all values, zeros included. */
export function bytesOf(length: number): Buffer {
  const block = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  return Buffer.alloc(length, block);
}

function handlersOf(seen: Seen): Handlers {
  return {
    'events.watch': async function* (data: { count: number }, { signal, lastEventId = '0' }) {
      signal.addEventListener('abort', () => seen.aborted.push('events.watch'));
      for (let n = Number(lastEventId) + 1; n <= data.count; n += 1) {
        yield event({ id: n, data: { n } });
        if (data.count < 1000) await sleep(1, undefined, { signal });
      }
    },
    'lines.list': async function* (data: { count: number }) {
      for (let n = 1; n <= data.count; n += 1) yield { n };
    },
    'bytes.get': (data: { count: number }, context) => {
      const whole = bytesOf(data.count);
      const range = context.range(whole.length);
      const part = range === undefined ? whole : whole.subarray(range.start, range.end + 1);
      const headers: Record<string, string> = {
        'content-length': String(part.length),
        'accept-ranges': 'bytes',
      };
      if (range !== undefined) headers['content-range'] = `bytes ${range.start}-${range.end}/${whole.length}`;
      return stream(chunksOf(part), { status: range === undefined ? 200 : 206, headers });
    },
    'broken.get': async function* () {
      yield Buffer.from('abc');
      await sleep(20);
      throw new Error('broken');
    },
    'broken.watch': async function* () {
      yield { n: 1 };
      await sleep(20);
      throw new Error('broken');
    },
    'text.get': async function* () {
      for (const byte of Buffer.from(TEXT)) {
        yield Buffer.from([byte]);
        await sleep(1);
      }
    },
    'bytes.put': async (_data, { body, contentType }) => {
      const hash = createHash('sha256');
      let length = 0;
      for await (const chunk of body) {
        hash.update(chunk);
        length += chunk.length;
      }
      return { length, sha256: hash.digest('hex'), contentType: contentType ?? '' };
    },
    'form.post': async ({ title }: { title: string }, { parts }) => {
      const files: object[] = [];
      for await (const { name, filename, contentType, body } of parts) {
        let length = 0;
        for await (const chunk of body) length += chunk.length;
        files.push({ name, filename, contentType, length });
      }
      return { title, files };
    },
  };
}

function* chunksOf(whole: Buffer): Iterable<Buffer> {
  for (let at = 0; at < whole.length; at += 50_000) yield whole.subarray(at, at + 50_000);
}

/** A gateway with a worker behind it. */
export interface StreamHost extends Hosted {
  readonly seen: Seen;
  readonly router: ZeroMQRouter;
  readonly worker: ZeroMQWorker;
}

/** Starts gateway, router and worker, which stop with the scope. */
export async function startStreams(
  scope: Cleanup,
  mode: Mode,
  options: Partial<GatewayOptions> = {},
): Promise<StreamHost> {
  const registry = new ApiRegistry();
  const router = new ZeroMQRouter({
    frontendConnection: ANY,
    backendConnection: ANY,
    logger: silentLogger,
    limits: { startupGrace: 0 },
    contractChecker: contractChecker(registry),
  });
  scope.after(() => router.stop({ deadline: 500 }));
  const { frontend, backend } = await router.start();
  const seen: Seen = { aborted: [] };
  const worker = new ZeroMQWorker({
    connection: mode === 'embedded' ? router : backend,
    contract: streamContract,
    handlers: handlersOf(seen) as never,
    logger: silentLogger,
  });
  scope.after(() => worker.stop({ deadline: 500 }));
  await untilJoined(() => worker.start());
  let requester: ZeroMQRouter | ZeroMQClient = router;
  if (mode === 'separate') {
    const client = new ZeroMQClient({ ...PATIENT, connection: frontend, logger: silentLogger });
    scope.after(() => client.close());
    requester = client;
  }
  const hosted = await ownServer(scope, { requester, api: registry, ...options });
  return { ...hosted, seen, router, worker };
}

/** Waits until a condition holds, checking it every few milliseconds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2);
}
