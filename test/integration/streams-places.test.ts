// test:all: 20 s; streams-client.test.ts and streams-http.test.ts represent it
/** Streams in all places where handlers run: embedded, over a socket, in threads and processes, in servers. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { withResolvers } from '../../src/core/collections/deferred.ts';
import type { InFlight, ReplyMessage, Requester } from '../../src/index.ts';
import { within } from '../helpers/eventually.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter, startServer, startWorker } from './framework.ts';
import { bytesOf, handlers } from './stream-worker.ts';
import { makeThreads } from './threads.ts';

const module = fileURLToPath(new URL('./stream-worker.ts', import.meta.url));
const KIB64 = 64 * 1024;

/** Resolves with what sends requests, and a function that drains the node of the handlers. */
type Place = (scope: Scope) => Promise<{ requester: Requester; stop: () => Promise<void> }>;

const PLACES: Record<string, Place> = {
  'an embedded worker': async (scope) => {
    const { router } = await startRouter(scope);
    const worker = await startWorker(scope, { connection: router, handlers });
    return { requester: router, stop: () => worker.stop() };
  },
  'a worker over a socket': async (scope) => {
    const { router, backend } = await startRouter(scope);
    const worker = await startWorker(scope, { connection: backend, handlers });
    return { requester: router, stop: () => worker.stop() };
  },
  'a worker thread': async (scope) => {
    const { router, backend } = await startRouter(scope);
    const threads = makeThreads(scope, { module, connection: backend, threads: 1 });
    await untilJoined(() => threads.start());
    return { requester: router, stop: () => threads.stop() };
  },
  'a worker process': async (scope) => {
    const { router } = await startRouter(scope);
    const threads = makeThreads(scope, {
      module,
      connection: router,
      threads: 1,
      isolation: 'process',
    } as never);
    await untilJoined(() => threads.start());
    return { requester: router, stop: () => threads.stop() };
  },
  'a server': async (scope) => {
    const { server, endpoint } = await startServer(scope, { handlers });
    const client = await connectClient(scope, endpoint);
    // A connection that has exchanged a message is packed.
    await client.sendMessage('stream.state');
    return { requester: client, stop: () => server.stop() };
  },
};

interface CallerOptions {
  readonly data?: unknown;
  /** Whether it grants what it receives. */
  readonly grants?: boolean;
  readonly upload?: boolean;
  /** Window of the reply; 0 for a whole reply. */
  readonly window?: number;
}

/** A caller that sends one request with streams. */
class Caller {
  readonly parts: ReplyMessage[] = [];
  readonly last: Promise<ReplyMessage>;
  granted = 0;
  private cancelled = false;
  private readonly inFlight: InFlight;
  private waiting: (() => void)[] = [];

  constructor(
    requester: Requester,
    eventName: string,
    { data = null, grants = true, upload = false, window = 4 * KIB64 }: CallerOptions = {},
  ) {
    const { promise, resolve } = withResolvers<ReplyMessage>();
    this.last = promise;
    const stream = {
      window,
      upload,
      onChunk: (part: ReplyMessage) => {
        this.parts.push(part);
        if (grants) this.inFlight.grant(part.body.length || 64);
        this.changed();
      },
      onWindow: (bytes: number) => {
        this.granted += bytes;
        this.changed();
      },
    };
    const body = Buffer.from(JSON.stringify(data));
    this.inFlight = requester.request(
      { eventName, body, timeout: PATIENCE, idempotent: false, stream },
      (part) => {
        this.parts.push(part);
        resolve(part);
      },
    );
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts.map(({ body }) => body));
  }

  /** Resolves once `check` holds. */
  async until(check: () => boolean, what: string): Promise<void> {
    while (!check()) {
      const changed = new Promise<void>((resolve) => this.waiting.push(resolve));
      await within(changed, what);
    }
  }

  private changed(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Sends a body as fast as the worker grants, and counts. */
  async send(body: Buffer): Promise<void> {
    for (let sent = 0; sent < body.length && !this.cancelled; ) {
      await this.until(() => this.granted > sent || this.cancelled, 'a grant');
      if (this.cancelled) return;
      const end = Math.min(sent + KIB64, this.granted, body.length);
      this.inFlight.sendChunk(body.subarray(sent, end), end === body.length);
      sent = end;
    }
  }

  cancel(): void {
    this.cancelled = true;
    this.changed();
    this.inFlight.cancel();
  }
}

interface State {
  pulled: number;
  read: number;
  ended: number;
  failed: string;
}

async function stateOf(requester: Requester): Promise<State> {
  const reply = await new Caller(requester, 'stream.state', { window: 0 }).last;
  return JSON.parse(String(reply.body)) as State;
}

/** Polls the state of a node in another thread or process. */
async function untilState(
  requester: Requester,
  check: (state: State) => boolean,
  what: string,
): Promise<State> {
  const poll = async (): Promise<State> => {
    for (;;) {
      const state = await stateOf(requester);
      if (check(state)) return state;
      await sleep(10);
    }
  };
  return within(poll(), what);
}

for (const [name, open] of Object.entries(PLACES)) {
  describe(`streams of ${name}`, () => {
    it(`streams of ${name}: 5 MB each way arrive whole`, async (t) => {
      const { requester } = await open(scopeOf(t));
      const body = Buffer.concat([...bytesOf(5_000_000)]);
      const down = new Caller(requester, 'stream.down', { data: body.length });
      const up = new Caller(requester, 'stream.up', { upload: true });
      await up.send(body);
      assert.equal(
        JSON.parse(String((await within(up.last, 'the reply to the upload')).body)),
        createHash('sha256').update(body).digest('hex'),
      );
      assert.equal((await within(down.last, 'the download')).code, '');
      assert.ok(down.bytes.equals(body));
      assert.equal(down.parts[0]?.contentType, 'application/octet-stream');
      assert.ok(down.parts.every((part) => part.body.length <= KIB64));
    });

    it(`streams of ${name}: a caller that does not read stops the handler, and a cancel ends it`, async (t) => {
      const { requester } = await open(scopeOf(t));
      const before = await stateOf(requester);
      const down = new Caller(requester, 'stream.down', { data: 50_000_000, grants: false });
      await down.until(() => down.bytes.length >= 4 * KIB64, 'the window');
      const { pulled } = await stateOf(requester);
      assert.ok(pulled - before.pulled <= 6 * KIB64, `${pulled - before.pulled} bytes pulled`);
      assert.ok(down.bytes.length <= 5 * KIB64, `${down.bytes.length} bytes arrived`);
      down.cancel();
      const { pulled: after } = await untilState(requester, ({ ended }) => ended > before.ended, 'the end');
      assert.equal(after, pulled);
    });

    it(`streams of ${name}: a handler that does not read stops the caller, and sees that it went away`, async (t) => {
      const { requester } = await open(scopeOf(t));
      const up = new Caller(requester, 'stream.unread', { upload: true });
      const sending = up.send(Buffer.alloc(10_000_000));
      await up.until(() => up.granted >= 4 * KIB64, 'the grants');
      await untilState(requester, ({ read }) => read > 0, 'the first chunk');
      assert.ok(up.granted <= 5 * KIB64, `${up.granted} bytes granted`);
      up.cancel();
      const { failed } = await untilState(requester, (state) => state.failed !== '', 'the failure');
      assert.equal(failed, 'AbortError');
      await sending;
    });

    it(`streams of ${name}: more open streams than concurrency leave room for other requests`, async (t) => {
      const { requester } = await open(scopeOf(t));
      const watches = Array.from({ length: 100 }, () => new Caller(requester, 'stream.watch'));
      for (const watch of watches) await watch.until(() => watch.bytes.length > 0, 'the first event');
      await within(stateOf(requester), 'a reply beside the streams');
      for (const watch of watches) watch.cancel();
    });

    it(`streams of ${name}: event streams end when the node stops`, async (t) => {
      const { requester, stop } = await open(scopeOf(t));
      const watch = new Caller(requester, 'stream.watch');
      await watch.until(() => watch.bytes.length > 0, 'the first event');
      await within(stop(), 'the stop');
      assert.equal((await watch.last).code, '');
      assert.match(watch.bytes.toString(), /^data: watching\n\nretry: [1-5]\d{3}\n\n$/);
    });
  });
}

describe('streams of threads that end', () => {
  it('streams of a thread: end with WORKER_LOST when the thread dies', async (t) => {
    const scope = scopeOf(t);
    const { router, backend } = await startRouter(scope);
    const threads = makeThreads(scope, { module, connection: backend, threads: 1 });
    await untilJoined(() => threads.start());
    const dying = new Caller(router, 'stream.die', { upload: true });
    await dying.until(() => dying.bytes.length > 0, 'the first chunk');
    await dying.send(Buffer.from('now'));
    assert.equal((await within(dying.last, 'the end')).code, 'WORKER_LOST');
    assert.match(dying.bytes.toString(), /^last words/);
  });
});
