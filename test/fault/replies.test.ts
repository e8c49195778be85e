/** Fault: replies arrive twice or too late, come from another worker, or are forged. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dealer } from 'zeromq';
import { controlFrames } from '../../src/wire/control.ts';
import { isPacked, readPacked } from '../../src/wire/packed.ts';
import { PackedBatch } from '../../src/wire/packed-batch.ts';
import { encodeToken, isToken, tokenGeneration, tokenId } from '../../src/wire/token.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { briefTimeout } from '../helpers/patience.ts';
import { rawDealer, rawRouter, texts } from '../helpers/raw.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter } from '../integration/framework.ts';
import { makeReply } from '../unit/wire/messages.ts';
import { outcomesOf, Scene } from './scene.ts';

failOnLeftovers();

/** A request that the worker received. */
interface HeldRequest {
  readonly key: number;
  readonly generation: number;
  readonly id: string;
}

/** A worker that sends the replies a test gives it. */
class ManualWorker {
  private constructor(
    private readonly socket: Dealer,
    private readonly scene: Scene,
    private readonly name: string,
  ) {}

  static async join(scope: Scope, scene: Scene, backend: string, name: string): Promise<ManualWorker> {
    const socket = rawDealer(scope, backend);
    await socket.send(controlFrames('$hello', { v: 1, pack: 1, concurrency: 4, events: ['put', 'post'] }));
    assert.equal(texts(await socket.receive())[2], '$welcome');
    return new ManualWorker(socket, scene, name);
  }

  /** Receives the next request and records it as run. */
  async nextRequest(): Promise<HeldRequest> {
    const held: HeldRequest[] = [];
    while (held.length === 0) {
      const frames = await this.socket.receive();
      assert.ok(frames[0] !== undefined && isPacked(frames[0]), texts(frames).join('|'));
      readPacked(frames, 0, {
        packedRequest: (key, generation, { body }) => {
          const { id } = JSON.parse(body.toString()) as { id: string };
          held.push({ key, generation, id });
        },
        packedReply: () => assert.fail('a router sends no replies'),
        packedCancel: () => undefined,
      });
    }
    const [request] = held;
    assert.ok(request !== undefined && held.length === 1);
    this.scene.log.write({ t: 'began', id: request.id, by: this.runOf(request) });
    return request;
  }

  /** Sends replies to requests in one message. */
  async reply(...requests: HeldRequest[]): Promise<void> {
    const batch = new PackedBatch();
    for (const { key, generation, id } of requests) {
      const body = Buffer.from(JSON.stringify({ id, by: this.runOf({ id }) }));
      batch.addReply(key, generation, makeReply({ body }));
    }
    await this.socket.send(batch.take());
  }

  private runOf({ id }: Pick<HeldRequest, 'id'>): string {
    return `${this.name}-${id}`;
  }
}

describe('replies at the router', () => {
  it('router: counts duplicate replies once, in one message or in several', async (t) => {
    const scope = scopeOf(t);
    const [scene, drops] = [new Scene(scope), new Drops(scope)];
    const { router, frontend, backend } = await startRouter(scope);
    const worker = await ManualWorker.join(scope, scene, backend, 'worker');
    const client = await connectClient(scope, frontend);
    const request = scene.send(client, 'post');
    const held = await worker.nextRequest();
    await worker.reply(held, held);
    assert.deepEqual(await outcomesOf([request]), ['ok']);
    await worker.reply(held);
    await drops.waitFor('late-reply', 2);
    const next = scene.send(client, 'post');
    await worker.reply(held, await worker.nextRequest());
    assert.deepEqual(
      await outcomesOf([next]),
      ['ok'],
      'a token of an earlier request does not match the next one',
    );
    assert.equal(router.stats().dropped.late, 3);
    assert.equal(scene.assertGuarantees().requests, 2);
  });

  it('router: counts and drops replies that arrive after the deadline or a cancellation', async (t) => {
    const scope = scopeOf(t);
    const [scene, drops] = [new Scene(scope), new Drops(scope)];
    const { router, frontend, backend } = await startRouter(scope);
    const worker = await ManualWorker.join(scope, scene, backend, 'worker');
    const client = await connectClient(scope, frontend);
    // Only after the first reply does the client know that the router understands packed messages,
    // which a cancellation needs.
    const warm = scene.send(client, 'post');
    await worker.reply(await worker.nextRequest());
    await warm.settled;
    const expired = scene.send(client, 'post', { timeout: briefTimeout(50) });
    const late = await worker.nextRequest();
    assert.deepEqual(await outcomesOf([expired]), ['TIMEOUT, dispatched']);
    await worker.reply(late);
    await drops.waitFor('late-reply', 1);
    const cancelled = scene.send(client, 'post');
    const unwanted = await worker.nextRequest();
    cancelled.cancel();
    while ((router.stats().failures.CANCELLED ?? 0) === 0) await new Promise(setImmediate);
    await worker.reply(unwanted);
    await drops.waitFor('late-reply', 2);
    assert.deepEqual(router.stats().dropped, { late: 2, unknownToken: 0, foreign: 0 });
    scene.assertGuarantees();
  });

  it('router: drops replies from a worker that does not hold the request, and forged replies', async (t) => {
    const scope = scopeOf(t);
    const [scene, drops] = [new Scene(scope), new Drops(scope)];
    const { frontend, backend } = await startRouter(scope);
    const honest = await ManualWorker.join(scope, scene, backend, 'honest');
    const client = await connectClient(scope, frontend);
    const request = scene.send(client, 'post');
    const held = await honest.nextRequest();
    const thief = await ManualWorker.join(scope, scene, backend, 'thief');
    await thief.reply(held);
    await drops.waitFor('foreign-reply', 1);
    const stranger = rawDealer(scope, backend);
    const token = encodeToken(held.key, held.generation);
    await stranger.send([token, '', 'post', JSON.stringify({ id: held.id, by: 'stranger' })]);
    await drops.waitFor('late-reply', 1); // The router knows no worker with this routing id.
    for (let key = 0; key < 100; key += 1) {
      await thief.reply({ ...held, key, generation: (held.generation ^ (0x5a5a5a5a + key)) >>> 0 });
    }
    await drops.waitFor('unknown-token', 100);
    await honest.reply(held);
    assert.deepEqual(await outcomesOf([request]), ['ok']);
    scene.assertGuarantees();
  });
});

describe('replies at the client', () => {
  it('client: drops duplicate, late and forged replies', async (t) => {
    const scope = scopeOf(t);
    const [scene, drops] = [new Scene(scope), new Drops(scope)];
    const { socket, endpoint } = await rawRouter(scope);
    const client = await connectClient(scope, endpoint);
    const answer = async (peer: Buffer, token: Buffer, id: string): Promise<void> => {
      await socket.send([peer, token, '', 'post', JSON.stringify({ id, by: `router-${id}` })]);
    };
    const take = async (): Promise<[peer: Buffer, token: Buffer, id: string]> => {
      const [peer, token, , , data] = await socket.receive();
      assert.ok(peer !== undefined && token !== undefined && data !== undefined && isToken(token));
      const { id } = JSON.parse(data.toString()) as { id: string };
      scene.log.write({ t: 'began', id, by: `router-${id}` });
      return [peer, token, id];
    };
    const twice = scene.send(client, 'post');
    const first = await take();
    await answer(...first);
    await answer(...first);
    assert.deepEqual(await outcomesOf([twice]), ['ok']);
    await drops.waitFor('late-reply', 1);
    const late = scene.send(client, 'post', { timeout: briefTimeout(50) });
    const second = await take();
    assert.deepEqual(await outcomesOf([late]), ['TIMEOUT, dispatched']);
    await answer(...second);
    await drops.waitFor('late-reply', 2);
    const request = scene.send(client, 'post');
    const [peer, token, id] = await take();
    const forged = encodeToken(tokenId(token), (tokenGeneration(token) ^ 0x12345678) >>> 0);
    await answer(peer, forged, id);
    await drops.waitFor('unknown-token', 1);
    await answer(peer, token, id);
    assert.deepEqual(await outcomesOf([request]), ['ok']);
    scene.assertGuarantees();
  });
});
