/** Asynchronous requests over restarts: shown before the contracts arrive, and left to the next gateway. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withResolvers } from '../../src/core/collections/deferred.ts';
import type { ReplyMessage, Requester } from '../../src/core/messages/message.ts';
import { openStore } from '../../src/store/index.ts';
import { within } from '../helpers/eventually.ts';
import { apiOf } from '../helpers/gateway/api.ts';
import { foreignApp, ownServer, problemOf } from '../helpers/gateway/hosts.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { connectClient, HandlerGate, startRouter, startWorker } from './framework.ts';

const ANN = { 'x-key': 'ann-ann-ann-ann-ann' };
const BOB = { 'x-key': 'bob-bob-bob-bob-bob' };
const PREFER = { prefer: 'respond-async' };
const IDS = {
  open: '01980000-0000-7000-8000-000000000001',
  ann: '01980000-0000-7000-8000-000000000002',
  missing: '01980000-0000-7000-8000-000000000003',
} as const;

const auth = {
  schemes: {
    key: {
      type: 'apiKey',
      keys: [
        { id: 'ann', key: ANN['x-key'] },
        { id: 'bob', key: BOB['x-key'] },
      ],
    },
  },
} as const;

const securitySchemes = { key: { type: 'apiKey', in: 'header', name: 'x-key' } };

/** A router that cannot be reached. */
const requester: Requester = {
  reachable: false,
  request: () => {
    throw new Error('nothing is sent');
  },
};

/** A store with the ended requests of an earlier gateway. */
async function storeWithResults(url: string): Promise<void> {
  const store = await openStore(url);
  for (const [id, caller] of [
    [IDS.open, ''],
    [IDS.ann, 'ann'],
  ] as const) {
    const creation = await store.create({
      id,
      caller,
      event: 'reports.make',
      key: undefined,
      fingerprint: Buffer.from('f'),
      state: 'running',
      idempotent: false,
      data: Buffer.from('{}'),
      metadata: Buffer.from('{}'),
      timeout: PATIENCE,
      retention: 60_000,
      owner: 'former',
      lease: 60_000,
    });
    assert.equal(creation.outcome, 'created');
    const result = { status: 201, headers: ['Content-Type', 'text/plain'], body: Buffer.from('report') };
    assert.ok(await store.finish(creation.hold, { state: 'succeeded', code: '', result }));
  }
  await store.close();
}

describe('asynchronous requests without their contract', () => {
  it('asynchronous requests: are shown from the store before their contract arrives', async (t) => {
    const scope = scopeOf(t);
    const file = join(tempFolder(scope), 'store.db');
    const options = { requester, api: apiOf({}), store: `sqlite:${file}`, auth };
    const early = await ownServer(scope, options);
    assert.equal((await problemOf(await fetch(`${early.url}/requests/${IDS.open}`))).code, 'NOT_FOUND');
    assert.equal(existsSync(file), false, 'a gateway that needs no store creates none');
    await early.gateway.close();
    await storeWithResults(options.store);

    const { url, gateway } = await ownServer(scope, options);
    const shown = await fetch(`${url}/requests/${IDS.open}`);
    assert.equal(shown.status, 200);
    const { state, outcome } = (await shown.json()) as { state: string; outcome: unknown };
    assert.deepEqual([state, outcome], ['succeeded', { status: 201 }]);
    const result = await fetch(`${url}/requests/${IDS.open}/result`);
    assert.deepEqual([result.status, await result.text()], [201, 'report']);
    const events = await fetch(`${url}/requests/${IDS.open}/events`);
    assert.match(await within(events.text(), 'the events'), /^event: state\ndata: .*"state":"succeeded"/);
    assert.equal((await fetch(`${url}/requests/${IDS.open}`, { method: 'DELETE' })).status, 200);
    // The contract says where the keys of callers are.
    const unknown = await fetch(`${url}/requests/${IDS.ann}`, { headers: ANN });
    assert.equal(unknown.headers.get('retry-after'), '1');
    assert.equal((await problemOf(unknown)).code, 'STARTING');
    for (const path of [`/requests/${IDS.missing}`, '/requests/other', `/requests/${IDS.open}/other`]) {
      assert.equal((await problemOf(await fetch(url + path))).code, 'NOT_FOUND', path);
    }
    assert.deepEqual(gateway.openapi().paths, {});
  });

  it('asynchronous requests: without their contract, they are visible to their caller only', async (t) => {
    const scope = scopeOf(t);
    const store = `sqlite:${join(tempFolder(scope), 'store.db')}`;
    await storeWithResults(store);
    const { url } = await ownServer(scope, { requester, api: apiOf({}, { securitySchemes }), store, auth });
    for (const path of [IDS.ann, `${IDS.ann}/result`]) {
      const own = await fetch(`${url}/requests/${path}`, { headers: ANN });
      assert.ok(own.ok, path);
      for (const headers of [BOB, {}] as Record<string, string>[]) {
        const other = await fetch(`${url}/requests/${path}`, { headers });
        assert.equal((await problemOf(other)).code, 'REQUEST_NOT_FOUND', path);
      }
    }
    const wrong = await fetch(`${url}/requests/${IDS.ann}`, { headers: { 'x-key': 'wrong-wrong-wrong' } });
    assert.equal(wrong.status, 401);
  });

  it('asynchronous requests: an app that mounts the gateway keeps its own paths', async (t) => {
    const scope = scopeOf(t);
    const store = `sqlite:${join(tempFolder(scope), 'store.db')}`;
    await storeWithResults(store);
    const { url } = await foreignApp(scope, { requester, api: apiOf({}), store, auth, fallthrough: true });
    assert.equal((await fetch(`${url}/requests/${IDS.open}`)).status, 200);
    const passed = await fetch(`${url}/requests/${IDS.missing}`);
    assert.equal(passed.status, 404);
    assert.match(await passed.text(), /Cannot GET/);
  });
});

const reports = (): ReturnType<typeof apiOf> =>
  apiOf({ '/reports': { post: { 'x-event-name': 'reports.make', 'x-async': true } } });

describe('asynchronous requests at a separate router', () => {
  it('asynchronous requests: those that the router has queued at the shutdown deadline run on the next gateway', async (t) => {
    const scope = scopeOf(t);
    const store = `sqlite:${join(tempFolder(scope), 'store.db')}`;
    const { router, frontend } = await startRouter(scope);
    const gate = new HandlerGate();
    await startWorker(scope, {
      connection: router,
      concurrency: 1,
      handlers: { 'reports.make': gate.handler },
    });
    const client = await connectClient(scope, frontend);
    const { url, gateway } = await ownServer(scope, { requester: client, api: reports(), store });
    const post = async (): Promise<string> => {
      const response = await fetch(`${url}/reports`, { method: 'POST', headers: PREFER });
      assert.equal(response.status, 202);
      return ((await response.json()) as { id: string }).id;
    };
    const running = await post();
    await within(gate.called(), 'the handler');
    const queued = await post();
    await gateway.close({ deadline: 0 });
    const left = await openStore(store);
    const states = [(await left.get(running))?.state, (await left.get(queued))?.state];
    await left.close();
    assert.deepEqual(states, ['unknown', 'accepted']);
    assert.equal(gate.calls[0]?.signal.aborted, true);
    gate.calls[0]?.open('late');

    const next = await ownServer(scope, { requester: client, api: reports(), store });
    await within(gate.called(2), 'the handler');
    gate.calls[1]?.open('made');
    const ended = await fetch(`${next.url}/requests/${queued}/result`, { headers: { prefer: 'wait=20' } });
    assert.deepEqual([ended.status, await ended.json()], [200, 'made']);
    assert.equal(gate.calls.length, 2);
  });

  it('client: a withdrawn request settles, and says whether a worker has it', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend } = await startRouter(scope);
    const gate = new HandlerGate();
    await startWorker(scope, { connection: router, concurrency: 1, handlers: { slow: gate.handler } });
    const client = await connectClient(scope, frontend);
    // With progress, a client finds out first whether its peer packs.
    const onProgress = (): void => undefined;
    const body = Buffer.from('1');
    const request = { eventName: 'slow', body, timeout: PATIENCE, idempotent: false, onProgress };
    const send = () => {
      const settled = withResolvers<ReplyMessage>();
      const inFlight = client.request(request, settled.resolve);
      return { inFlight, settled: settled.promise };
    };
    const running = send();
    await within(gate.called(), 'the handler');
    const queued = send();
    const later = send();
    later.inFlight.withdraw?.();
    queued.inFlight.withdraw?.();
    running.inFlight.withdraw?.();
    for (const [{ settled }, dispatched] of [
      [running, true],
      [queued, false],
      [later, false],
    ] as const) {
      const reply = await within(settled, 'the answer of the router');
      assert.deepEqual([reply.code, reply.dispatched], ['CANCELLED', dispatched]);
    }
    gate.calls[0]?.open('late');
    const last = send();
    await within(gate.called(2), 'the handler');
    gate.calls[1]?.open('done');
    assert.equal((await within(last.settled, 'the reply')).code, '');
    // A settled request is not withdrawn.
    last.inFlight.withdraw?.();
    assert.equal(gate.calls.length, 2);
  });
});
