/**
 * A compatible change of a contract is rolled out under load. No request fails before, while and
 * after both versions are served.
 */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Joi from 'joi';
import { silentLogger } from '../../src/core/logging/logging.ts';
import { ApiRegistry, contractChecker, LiveContracts } from '../../src/gateway/index.ts';
import {
  type Contract,
  defineContract,
  ZeroMQClient,
  ZeroMQRouter,
  ZeroMQWorker,
  type ZeroMQWorkerOptions,
} from '../../src/index.ts';
import { emissions, eventually } from '../helpers/eventually.ts';
import { ownServer } from '../helpers/gateway/hosts.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';

failOnLeftovers(() => fetch('http://127.0.0.1:9').catch(() => undefined));

const ANY = 'tcp://127.0.0.1:0';
/** Concurrent callers: more than the workers run at a time, so that requests are queued. */
const CALLERS = 8;
const CONCURRENCY = 2;
/** Requests that must complete between two steps of the rollout. */
const REQUESTS = 60;

const item = Joi.string().required();
const replies = { 200: Joi.object({ version: Joi.number().required(), note: Joi.string() }) };
const place = { method: 'POST', path: '/orders', replies } as const;
const FIRST = defineContract({
  name: 'orders',
  events: { 'orders.post': { ...place, data: Joi.object({ item }) } },
});
const SECOND = defineContract({
  name: 'orders',
  events: {
    'orders.post': { ...place, data: Joi.object({ item, note: Joi.string() }) },
    'orders.get': {
      method: 'GET',
      path: '/orders/{id}',
      data: Joi.object({ id: Joi.number().required() }),
      replies,
    },
  },
});
/** Incompatible with the others. */
const THIRD = defineContract({
  name: 'orders',
  events: { 'orders.post': { ...place, data: Joi.object({ item, note: Joi.string().required() }) } },
});

interface Place {
  readonly url: string;
  readonly registry: ApiRegistry;
  readonly connection: ZeroMQWorkerOptions['connection'];
}

/** A router and a gateway: in one process without sockets between them, or connected by sockets. */
async function startPlace(scope: Scope, embedded: boolean): Promise<Place> {
  const registry = new ApiRegistry();
  const router = new ZeroMQRouter({
    frontendConnection: ANY,
    backendConnection: ANY,
    limits: { startupGrace: 0 },
    contractChecker: contractChecker(embedded ? registry : new ApiRegistry()),
    logger: silentLogger,
  });
  scope.after(() => router.stop({ deadline: 1000 }));
  const { frontend, backend } = await router.start();
  const check = { replies: { check: 'reject' } } as const;
  if (embedded) {
    const { url } = await ownServer(scope, { requester: router, api: registry, ...check });
    return { url, registry, connection: router };
  }
  const client = new ZeroMQClient({ ...PATIENT, connection: frontend });
  scope.after(() => client.close());
  await client.connect({ timeout: PATIENCE });
  const live = new LiveContracts(registry, silentLogger);
  scope.after(() => live.close());
  live.watch(client, frontend);
  const { url } = await ownServer(scope, { requester: client, api: registry, ...check });
  return { url, registry, connection: backend };
}

/** Several callers that send requests without end and record failures. */
class Traffic {
  readonly failures: string[] = [];
  /** Number of replies by version of the worker. */
  readonly served = new Map<number, number>();
  /** Whether callers use the additions of the second version. */
  modern = false;
  private ended = 0;
  private stopped = false;
  private readonly changes = new EventEmitter();
  private readonly callers: Promise<void>[];

  constructor(private readonly url: string) {
    this.callers = Array.from({ length: CALLERS }, (_, caller) => this.call(caller));
  }

  /** Waits until `count` more requests have completed. */
  async more(count: number): Promise<void> {
    const goal = this.ended + count;
    await eventually(emissions(this.changes, 'ended'), () => this.ended >= goal, `${count} requests`);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.callers);
  }

  private async call(caller: number): Promise<void> {
    for (let count = caller; !this.stopped; count += 1) {
      const reads = this.modern && count % 4 === 0;
      const body = JSON.stringify({
        item: 'tea',
        ...(this.modern && count % 2 === 1 ? { note: 'hot' } : {}),
      });
      const headers = { connection: 'close', 'content-type': 'application/json' };
      const path = reads ? `/orders/${count}` : '/orders';
      try {
        const response = await fetch(
          this.url + path,
          reads ? { headers } : { method: 'POST', headers, body },
        );
        const text = await response.text();
        if (response.status === 200)
          this.note(body, JSON.parse(text) as { version: number; note?: string }, reads);
        else this.failures.push(`${path} ${body} ${response.status} ${text}`);
      } catch (error) {
        this.failures.push(`${path} ${String(error)}`);
      }
      this.ended += 1;
      this.changes.emit('ended');
    }
  }

  private note(body: string, { version, note }: { version: number; note?: string }, reads: boolean): void {
    this.served.set(version, (this.served.get(version) ?? 0) + 1);
    const lost = !reads && body.includes('note') && note !== 'hot';
    if (lost) this.failures.push(`version ${version} ignored the note`);
  }
}

for (const embedded of [false, true]) {
  it(`rollout of a compatible contract under load, ${embedded ? 'embedded' : 'over sockets'}: no request fails`, async (t) => {
    const scope = scopeOf(t);
    const { url, registry, connection } = await startPlace(scope, embedded);
    const start = async (version: number, contract: Contract): Promise<ZeroMQWorker> => {
      const handle = async (data: { note?: string }) => {
        await sleep(2);
        return { version, note: data.note };
      };
      const handlers = Object.fromEntries(contract.eventNames.map((name) => [name, handle]));
      const worker = new ZeroMQWorker({
        ...{ connection, handlers, contract, concurrency: CONCURRENCY, logger: silentLogger },
      });
      scope.after(() => worker.stop());
      const refused: string[] = [];
      worker.on('rejected', (_endpoint, why) => refused.push(why));
      await worker.start();
      assert.deepEqual(refused, []);
      return worker;
    };
    const paths = () =>
      registry
        .snapshot()
        .operations.filter(({ available }) => available)
        .map(({ path }) => path);
    const serves = (count: number) =>
      eventually(emissions(registry, 'change'), () => paths().length === count, `${count} operations`);

    const old = [await start(1, FIRST), await start(1, FIRST)];
    await serves(1);
    const traffic = new Traffic(url);
    scope.after(() => traffic.stop());
    await traffic.more(REQUESTS);
    const later = [await start(2, SECOND)];
    await serves(2);
    traffic.modern = true;
    await traffic.more(2 * REQUESTS);
    const [first = 0, second = 0] = [traffic.served.get(1), traffic.served.get(2)];
    assert.ok(first > 0 && second > 0, `both versions serve: ${first} and ${second} requests`);
    later.push(await start(2, SECOND));
    for (const worker of old) {
      await worker.stop();
      await traffic.more(REQUESTS);
    }
    // A worker of the first version returns and leaves. The later document stays.
    const back = await start(1, FIRST);
    await traffic.more(REQUESTS);
    assert.deepEqual(paths(), ['/orders', '/orders/{id}']);
    await back.stop();
    await traffic.more(REQUESTS);
    await traffic.stop();
    assert.deepEqual(traffic.failures, []);
  });

  it(`rollout of an incompatible contract, ${embedded ? 'embedded' : 'over sockets'}: the rejected worker is accepted immediately after the last old worker leaves`, async (t) => {
    const scope = scopeOf(t);
    const { connection } = await startPlace(scope, embedded);
    const make = (contract: typeof FIRST): ZeroMQWorker => {
      const worker = new ZeroMQWorker({
        connection,
        contract,
        handlers: { 'orders.post': () => ({ version: 3 }) },
        logger: silentLogger,
      });
      scope.after(() => worker.stop());
      return worker;
    };
    const answered = (worker: ZeroMQWorker) => {
      const answers: string[] = [];
      worker.on('accepted', () => answers.push('accepted'));
      worker.on('rejected', (_endpoint, why) => answers.push(why));
      return answers;
    };
    const old = [make(FIRST), make(FIRST)];
    for (const worker of old) {
      const accepted = answered(worker);
      await worker.start();
      if (!embedded) await eventually(emissions(worker, 'accepted'), () => accepted.length > 0, 'a welcome');
    }
    const later = make(THIRD);
    const answers = answered(later);
    await later.start();
    const heard = (count: number, patience?: number) =>
      eventually(
        emissions(later, 'accepted', 'rejected'),
        () => answers.length >= count,
        `answer ${count}`,
        patience,
      );
    await heard(1);
    assert.match(answers[0] ?? '', /"orders" is refused: .*POST \/orders: .*the member note is required/);
    // Without being asked, the worker repeats its hello after one second at the earliest.
    await old[0]?.stop();
    await old[1]?.stop();
    await heard(2, 400);
    assert.equal(answers[1], 'accepted');
  });
}
