/** Tests that metrics contain all published values, with the names and labels of the catalogue. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { diagnostics, type RequestSettled } from '../../../src/core/observability/diagnostics.ts';
import type { RouterReport } from '../../../src/core/observability/reports.ts';
import { fullName, METRICS, type MetricName } from '../../../src/metrics/catalogue.ts';
import { aggregated, Metrics } from '../../../src/metrics/index.ts';
import { labelsIn, samplesIn, valueOf } from '../../helpers/prometheus.ts';

const ROUTER = { kind: 'router', node: 'r' } as const;

function settled(about: Partial<RequestSettled>): RequestSettled {
  const usual = { eventName: 'a.get', requestId: '', status: 200, code: '', dispatched: true, duration: 3 };
  return { ...ROUTER, ...usual, queueTime: 1, handlerTime: 2, ...about };
}

function metricsOf(t: TestContext): Metrics {
  const metrics = new Metrics('1.2.3');
  t.after(() => metrics.close());
  return metrics;
}

const REPORT: RouterReport = {
  router: 'r',
  state: 'running',
  age: 1000,
  strategy: 'least-loaded',
  endpoints: {},
  totals: {
    submitted: 9,
    ok: 1,
    replyErrors: 0,
    failures: {},
    redispatched: 4,
    redispatchesDenied: 2,
    queued: 3,
    queuedBytes: 1536,
    dispatched: 5,
    openStreams: 3,
    clients: 6,
  },
  workers: [
    {
      id: 'w1',
      state: 'busy',
      classic: false,
      events: ['a.get', 'b.get'],
      concurrency: 1,
      inFlight: 1,
      age: 1,
      heartbeat: null,
      breakers: [{ event: 'tasks.get', state: 'open' }],
      oldest: { event: 'a.get', requestId: 'r', heldFor: 1500 },
      contract: 'a',
    },
    {
      id: 'w2',
      state: 'ready',
      classic: true,
      events: null,
      concurrency: 1,
      inFlight: 0,
      age: 1,
      heartbeat: null,
      breakers: [],
    },
  ],
  events: [
    {
      name: 'a.get',
      announced: true,
      queued: 2,
      queuedBytes: 1024,
      workers: 1,
      paused: false,
      breaker: 'closed',
      tripped: 0,
    },
    {
      name: 'made-up',
      announced: false,
      queued: 1,
      queuedBytes: 512,
      workers: 1,
      paused: false,
      breaker: 'closed',
      tripped: 0,
    },
  ],
};

/** Gives every metric a value. */
function fill(metrics: Metrics): void {
  metrics.watchRouter({ state: 'running', inspect: () => REPORT });
  metrics.watchGateway({
    inFlight: 7,
    streams: {
      inFlight: 2,
      replyChunks: 30,
      replyBytes: 3000,
      replyStalls: 3,
      requestChunks: 40,
      requestBytes: 4000,
      requestStalls: 4,
      resumed: 1,
      ended: new Map([
        ['OK', 5],
        ['WORKER_LOST', 6],
        ['MY_CODE', 7],
        ['OTHER_CODE', 8],
      ]),
    },
    store: {
      statistics: { states: { running: 2, unknown: 1 }, bytes: 500, oldest: 3000 },
      keys: new Map([['replayed', 9]]),
    },
  });
  metrics.watchService({
    kind: 'worker',
    load: 3,
    concurrency: 64,
    routers: [{ state: 'accepted', refusals: 2 }],
  });
  diagnostics.fileReloaded.publish({ what: 'document', ok: true });
  diagnostics.workerRefused.publish({ ...ROUTER, worker: 'w3', cause: 'contract' });
  diagnostics.requestSettled.publish(settled({ call: true, version: '2.0.0' }));
  diagnostics.httpAnswered.publish({
    kind: 'gateway',
    node: 'g',
    method: 'GET',
    route: '/a/{id}',
    path: '/a/1',
    status: 200,
    code: '',
    detail: '',
    eventName: 'a.get',
    requestId: '',
    duration: 4,
    client: '',
    caller: '',
  });
  diagnostics.workerJoined.publish({
    ...ROUTER,
    worker: 'w1',
    name: 'w',
    classic: false,
    events: [],
    concurrency: 1,
  });
  diagnostics.workerLeft.publish({ ...ROUTER, worker: 'w1', name: 'w', reason: 'goodbye', held: 0 });
  const silent = { ...ROUTER, peer: 'w1', peerType: 'worker', missed: 1, silentFor: 40_000 };
  diagnostics.heartbeatMissed.publish(silent);
  diagnostics.heartbeatLost.publish(silent);
  diagnostics.reconnect.publish({ kind: 'client', node: 'c', endpoint: 'tcp://h:1', attempt: 1, delay: 100 });
  diagnostics.batchSent.publish({ ...ROUTER, records: 3, bytes: 300 });
  diagnostics.frameDropped.publish({ ...ROUTER, cause: 'bad-batch' });
}

describe('Metrics', () => {
  it('Metrics: has every metric of the catalogue with its type, help and labels', async (t) => {
    const metrics = metricsOf(t);
    fill(metrics);
    const text = await metrics.text();
    for (const name of Object.keys(METRICS) as MetricName[]) {
      const { type, help, labels } = METRICS[name];
      const full = fullName(name);
      assert.ok(text.includes(`# TYPE ${full} ${type}\n`), `${full} is not a ${type}`);
      assert.ok(text.includes(`# HELP ${full} ${help}\n`), full);
      const sample = type === 'histogram' ? `${full}_count` : full;
      assert.deepEqual(labelsIn(text, sample), [...labels].sort(), full);
    }
  });

  it('Metrics: counts published events and reads registered routers and gateways', async (t) => {
    const metrics = metricsOf(t);
    fill(metrics);
    diagnostics.requestSettled.publish(settled({ code: 'TIMEOUT', duration: 5000 }));
    const text = await metrics.text();
    const value = (name: MetricName | `${MetricName}_${string}`, labels: Record<string, string> = {}) =>
      valueOf(text, fullName(name as MetricName), labels);
    const ofA = { kind: 'router', event: 'a.get' };
    assert.equal(value('requests_total', { ...ofA, code: 'OK' }), 1);
    assert.equal(value('requests_total', { ...ofA, code: 'TIMEOUT' }), 1);
    assert.equal(value('calls_total', { event: 'a.get', code: 'OK' }), 1);
    assert.equal(value('request_seconds_bucket', { ...ofA, le: '0.004' }), 1);
    assert.equal(value('request_seconds_sum', ofA), 5.003);
    assert.equal(value('queue_seconds_count', { event: 'a.get' }), 2);
    assert.equal(value('version_requests_total', { event: 'a.get', version: '2.0.0', code: 'OK' }), 1);
    assert.equal(value('http_requests_total', { method: 'GET', route: '/a/{id}', status: '200' }), 1);
    assert.equal(value('in_flight', { kind: 'gateway' }), 7);
    assert.equal(value('in_flight', { kind: 'router' }), 5);
    assert.equal(value('streams', { kind: 'gateway' }), 2);
    assert.equal(value('stored_requests', { state: 'running' }), 2);
    assert.equal(value('stored_oldest_seconds'), 3);
    assert.equal(value('idempotency_keys_total', { result: 'replayed' }), 9);
    assert.equal(value('streams', { kind: 'router' }), 3);
    assert.equal(value('stream_bytes_total', { direction: 'reply' }), 3000);
    assert.equal(value('stream_stalls_total', { direction: 'request' }), 4);
    assert.equal(value('streams_total', { code: 'WORKER_LOST' }), 6);
    assert.equal(value('streams_total', { code: 'other' }), 15);
    assert.equal(value('queue_depth', { event: 'a.get' }), 2);
    assert.equal(value('queue_depth', { event: 'other' }), 1);
    assert.equal(value('workers', { event: 'b.get', state: 'busy' }), 1);
    assert.equal(value('workers', { event: '*', state: 'ready' }), 1);
    assert.equal(value('batch_records_sum', { kind: 'router' }), 3);
    assert.equal(value('batch_bytes_bucket', { kind: 'router', le: '512' }), 1);
    assert.equal(value('frames_dropped_total', { kind: 'router', cause: 'bad-batch' }), 1);
    assert.equal(value('build_info', { version: '1.2.3' }), 1);
  });

  it('Metrics: reports an event whose workers have left', async (t) => {
    const metrics = metricsOf(t);
    let report = REPORT;
    metrics.watchRouter({ state: 'running', inspect: () => report });
    await metrics.text();
    report = { ...REPORT, workers: [], events: [] };
    const text = await metrics.text();
    assert.equal(valueOf(text, fullName('workers'), { event: 'b.get', state: 'ready' }), 0);
  });

  it('Metrics: limits its labels, whatever names clients send', async (t) => {
    const metrics = metricsOf(t);
    for (let index = 0; index < 2000; index += 1) {
      diagnostics.requestSettled.publish(
        settled({ eventName: `made-up-${index}`, code: 'NO_WORKER', dispatched: false }),
      );
      diagnostics.requestSettled.publish(settled({ eventName: `real-${index}`, code: `CODE_${index}` }));
      diagnostics.requestSettled.publish(settled({ eventName: 'real-0', code: `CODE_${index}` }));
    }
    const lines = samplesIn(await metrics.text(), fullName('requests_total'));
    assert.equal(lines.filter((line) => line.includes('made-up')).length, 0);
    const events = new Set(lines.map((line) => /event="([^"]*)"/.exec(line)?.[1]));
    assert.equal(events.size, 501);
    assert.ok(events.has('other'));
    const codes = lines.filter((line) => line.includes('event="real-0"'));
    assert.equal(codes.length, 51);
  });

  it('Metrics: reports whether the process can serve', async (t) => {
    const metrics = metricsOf(t);
    assert.equal(valueOf(await metrics.text(), fullName('ready'), {}), 1);
    metrics.watchHealth(() => ({ status: 'unavailable', reasons: [] }));
    assert.equal(valueOf(await metrics.text(), fullName('ready'), {}), 0);
  });

  it('Metrics: combines the readings of several processes', async (t) => {
    const [one, two] = [metricsOf(t), metricsOf(t)];
    fill(one);
    two.watchHealth(() => ({ status: 'unavailable', reasons: [] }));
    const text = await aggregated([await one.read(), await two.read()]);
    assert.equal(
      valueOf(text, fullName('requests_total'), { kind: 'router', event: 'a.get', code: 'OK' }),
      2,
    );
    assert.equal(valueOf(text, `${fullName('batch_bytes')}_bucket`, { kind: 'router', le: '512' }), 2);
    assert.equal(valueOf(text, fullName('in_flight'), { kind: 'gateway' }), 7);
    assert.equal(valueOf(text, fullName('processes'), {}), 2);
    assert.equal(valueOf(text, fullName('ready'), {}), 0);
    assert.equal(valueOf(text, fullName('build_info'), { version: '1.2.3' }), 1);
  });

  it('Metrics: counts nothing after close()', () => {
    const metrics = new Metrics('1.2.3');
    assert.equal(diagnostics.requestSettled.hasSubscribers, true);
    metrics.close();
    for (const channel of Object.values(diagnostics)) assert.equal(channel.hasSubscribers, false);
  });
});

describe('counters whose labels are known', () => {
  it('start at 0: with a router, and with the first worker of an event', async (t) => {
    const metrics = metricsOf(t);
    diagnostics.lifecycle.publish({ ...ROUTER, from: 'starting', to: 'running' });
    diagnostics.workerJoined.publish({
      ...ROUTER,
      worker: 'w',
      name: 'w',
      classic: false,
      events: ['tasks.get'],
      concurrency: 1,
    });
    const before = await metrics.text();
    const zero = [
      'zeromq_gateway_workers_left_total{reason="disconnected"} 0',
      'zeromq_gateway_workers_refused_total{cause="contract"} 0',
      'zeromq_gateway_reloads_total{what="allow-list",result="failed"} 0',
      'zeromq_gateway_heartbeats_lost_total{peer="worker"} 0',
      'zeromq_gateway_requests_total{kind="router",event="tasks.get",code="QUEUE_FULL"} 0',
    ];
    for (const line of zero) assert.ok(before.includes(`${line}\n`), line);
    diagnostics.workerLeft.publish({ ...ROUTER, worker: 'w', name: 'w', reason: 'disconnected', held: 0 });
    diagnostics.workerRefused.publish({ ...ROUTER, worker: 'w', cause: 'contract' });
    diagnostics.fileReloaded.publish({ what: 'allow-list', ok: false });
    diagnostics.requestSettled.publish(settled({ eventName: 'tasks.get', code: 'QUEUE_FULL' }));
    const after = await metrics.text();
    for (const line of zero) {
      const expected = line.includes('heartbeats') ? line : line.replace(/0$/, '1');
      assert.ok(after.includes(`${expected}\n`), expected);
    }
  });
});
