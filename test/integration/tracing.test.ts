/** The spans of a request from HTTP through router to worker, collected by an SDK in memory. */
import assert from 'node:assert/strict';
import { after, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpanKind, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { activeTracing } from '../../src/core/observability/tracing.ts';
import {
  type HandlerContext,
  ReplyError,
  silentLogger,
  ZeroMQClient,
  ZeroMQRouter,
  ZeroMQWorker,
} from '../../src/index.ts';
import { apiOf } from '../helpers/gateway/api.ts';
import { ownServer } from '../helpers/gateway/hosts.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
/** Names of the spans of a request. */
const [HTTP, QUEUE, PROCESS] = ['GET /things/{id}', 'queue thing.get', 'process thing.get'];
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`;

const untraced = activeTracing();
const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();
after(() => provider.shutdown());

const logger = silentLogger;
const lines = { 200: { description: 'ok', content: { 'application/x-ndjson': {} } } };
const api = () =>
  apiOf({
    '/things/{id}': { get: { 'x-event-name': 'thing.get' } },
    '/stream': { get: { 'x-event-name': 'thing.stream', responses: lines } },
  });
const handlers = {
  'thing.inner': (id: string) => {
    if (id === 'refused-call') throw new ReplyError(409, 'TAKEN', 'it is taken');
    return id;
  },
  'thing.stream': async function* () {
    for (let n = 0; n < 3; n += 1) {
      yield { n };
      await sleep(20);
    }
  },
  'thing.get': async (data: unknown, { call }: HandlerContext) => {
    const { id } = data as { id: string };
    if (id.endsWith('call')) return call('thing.inner', id);
    trace.getTracer('app').startSpan('own').end();
    if (id === 'bad') throw new Error('broken');
    if (id === 'none') throw new ReplyError(404, 'NOT_THERE', 'there is no such thing');
    return { id };
  },
};

interface Traced {
  url: string;
  /** Resolves with the spans of the next request, by name, when all have ended. */
  spans(url: string, headers?: Record<string, string>): Promise<Map<string, ReadableSpan>>;
}

function tracedBy(url: string): Traced {
  return {
    url,
    async spans(path, headers = {}) {
      exporter.reset();
      await (await fetch(url + path, { headers })).text();
      return new Map(exporter.getFinishedSpans().map((span) => [span.name, span]));
    },
  };
}

async function router(scope: Scope) {
  const connection = 'tcp://127.0.0.1:0';
  const made = new ZeroMQRouter({
    frontendConnection: connection,
    backendConnection: connection,
    limits: { startupGrace: 0 },
    logger,
  });
  scope.after(() => made.stop());
  return { router: made, ...(await made.start()) };
}

/** Gateway, client, router and worker, connected by sockets. */
async function apart(t: TestContext): Promise<Traced> {
  const scope = scopeOf(t);
  const { frontend, backend } = await router(scope);
  const worker = new ZeroMQWorker({ connection: backend, handlers, logger });
  scope.after(() => worker.stop());
  await untilJoined(() => worker.start());
  const client = new ZeroMQClient({ ...PATIENT, connection: frontend, logger });
  scope.after(() => client.close());
  await client.connect({ timeout: PATIENCE });
  return tracedBy((await ownServer(scope, { requester: client, api: api() })).url);
}

/** All nodes in one process, without sockets. */
async function embedded(t: TestContext): Promise<Traced> {
  const scope = scopeOf(t);
  const { router: made } = await router(scope);
  const worker = new ZeroMQWorker({ connection: made, handlers, logger });
  scope.after(() => worker.stop());
  await untilJoined(() => worker.start());
  return tracedBy((await ownServer(scope, { requester: made, api: api() })).url);
}

/** The spans of the last request as a tree: `name` or `name(children)`, sorted by name. */
function treeOf(spans: readonly ReadableSpan[], parent: string | undefined): string {
  return spans
    .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)
    .map((span) => {
      const children = treeOf(spans, span.spanContext().spanId);
      return children === '' ? span.name : `${span.name}(${children})`;
    })
    .sort()
    .join(' ');
}

const nameOf = (span: ReadableSpan | undefined) => span?.spanContext().spanId;

for (const [name, system] of [
  ['apart', apart],
  ['embedded', embedded],
] as const) {
  describe(`tracing, ${name}`, () => {
    it(`tracing, ${name}: a stream has one span, which lasts as long as the stream`, async (t) => {
      const traced = await system(t);
      const spans = await traced.spans('/stream', { traceparent: TRACEPARENT });
      assert.equal(
        treeOf(exporter.getFinishedSpans(), PARENT),
        'GET /stream(process thing.stream queue thing.stream)',
      );
      const [seconds = 0, nanoseconds = 0] = spans.get('GET /stream')?.duration ?? [];
      assert.ok(seconds * 1000 + nanoseconds / 1e6 >= 40);
    });

    it(`tracing, ${name}: one trace shows the calls of a handler and what they lead to`, async (t) => {
      const traced = await system(t);
      await traced.spans('/things/call', { traceparent: TRACEPARENT });
      const spans = exporter.getFinishedSpans();
      for (const span of spans) assert.equal(span.spanContext().traceId, TRACE);
      assert.equal(
        treeOf(spans, PARENT),
        `${HTTP}(${PROCESS}(send thing.inner(process thing.inner queue thing.inner)) ${QUEUE})`,
      );
      await traced.spans('/things/refused-call', { traceparent: TRACEPARENT });
      const call = exporter.getFinishedSpans().find((span) => span.name === 'send thing.inner');
      assert.equal(call?.attributes['error.type'], 'TAKEN');
      assert.equal(call?.attributes['zeromq_gateway.status'], 409);
      assert.equal(call?.kind, SpanKind.PRODUCER);
    });

    it(`tracing, ${name}: gateway, queue and handler have a span each in the trace of the caller`, async (t) => {
      const spans = await (await system(t)).spans('/things/7', {
        traceparent: TRACEPARENT,
        tracestate: 'a=b',
      });
      assert.deepEqual([...spans.keys()].sort(), [HTTP, 'own', PROCESS, QUEUE]);
      for (const span of spans.values()) assert.equal(span.spanContext().traceId, TRACE);
      const gateway = spans.get(HTTP);
      assert.equal(gateway?.parentSpanContext?.spanId, PARENT);
      assert.equal(spans.get(QUEUE)?.parentSpanContext?.spanId, nameOf(gateway));
      assert.equal(spans.get(PROCESS)?.parentSpanContext?.spanId, nameOf(gateway));
      assert.equal(spans.get('own')?.parentSpanContext?.spanId, nameOf(spans.get(PROCESS)));
      assert.equal(spans.get(PROCESS)?.spanContext().traceState?.get('a'), 'b');
      assert.equal(gateway?.attributes['http.route'], '/things/{id}');
      assert.equal(gateway?.attributes['http.response.status_code'], 200);
      assert.equal(gateway?.attributes['client.address'], '127.0.0.1');
      assert.equal(gateway?.attributes['url.scheme'], 'http');
      for (const [span, operation] of [
        [spans.get(PROCESS), 'process'],
        [spans.get(QUEUE), 'queue'],
      ] as const) {
        assert.equal(span?.attributes['messaging.system'], 'zeromq');
        assert.equal(span?.attributes['messaging.destination.name'], 'thing.get');
        assert.equal(span?.attributes['messaging.operation.name'], operation);
      }
      const [seconds = 0, nanoseconds = 0] = spans.get(QUEUE)?.duration ?? [];
      assert.ok(seconds === 0 && nanoseconds > 0, 'the time in the queue is measured');
    });

    it(`tracing, ${name}: a trace begins if the caller has none or an invalid one`, async (t) => {
      const traced = await system(t);
      for (const traceparent of [undefined, 'nonsense']) {
        const spans = await traced.spans('/things/7', traceparent === undefined ? {} : { traceparent });
        const gateway = spans.get(HTTP);
        assert.equal(gateway?.parentSpanContext, undefined);
        assert.equal(spans.get(PROCESS)?.spanContext().traceId, gateway?.spanContext().traceId);
      }
    });

    it(`tracing, ${name}: server errors mark the span as failed, errors of the caller do not`, async (t) => {
      const traced = await system(t);
      const bad = await traced.spans('/things/bad');
      for (const span of [HTTP, PROCESS]) {
        assert.equal(bad.get(span)?.status.code, 2, span);
        assert.equal(bad.get(span)?.attributes['error.type'], 'HANDLER_ERROR', span);
      }
      const none = await traced.spans('/things/none');
      assert.equal(none.get(HTTP)?.status.code, 0);
      assert.equal(none.get(HTTP)?.attributes['http.response.status_code'], 404);
    });
  });
}

describe('tracing of rejected requests', () => {
  it('tracing: a rejected request has a queue span and no handler span', async (t) => {
    const scope = scopeOf(t);
    const { router: made } = await router(scope);
    const traced = tracedBy((await ownServer(scope, { requester: made, api: api() })).url);
    const spans = await traced.spans('/things/7');
    assert.deepEqual([...spans.keys()].sort(), [HTTP, QUEUE]);
    assert.equal(spans.get(QUEUE)?.attributes['error.type'], 'NO_WORKER');
  });
});

describe('tracing without an SDK', () => {
  it('tracing: without an SDK there is no tracer', () => {
    assert.equal(untraced, undefined);
    assert.notEqual(activeTracing(), undefined);
  });
});
