/** Fault: replies that come twice, too late, from somebody else, or were made up. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dealer } from 'zeromq';
import { controlFrames } from '../../src/wire/control.ts';
import { isPacked, PackedBatch, readPacked } from '../../src/wire/packed.ts';
import { encodeToken, isToken, tokenGeneration, tokenId } from '../../src/wire/token.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { rawDealer, rawRouter, texts } from '../helpers/raw.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter } from '../integration/framework.ts';
import { makeReply } from '../unit/wire/messages.ts';
import { outcomesOf, Scene } from './scene.ts';

failOnLeftovers();

/** A request as a worker by hand got it. */
interface Given {
  readonly key: number;
  readonly generation: number;
  readonly id: string;
}

/** A worker by hand, which says what a test makes it say. */
class Liar {
  private constructor(
    private readonly socket: Dealer,
    private readonly scene: Scene,
    private readonly name: string,
  ) {}

  static async join(scope: Scope, scene: Scene, backend: string, name: string): Promise<Liar> {
    const socket = rawDealer(scope, backend);
    await socket.send(controlFrames('$hello', { v: 1, pack: 1, concurrency: 4, events: ['put', 'post'] }));
    assert.equal(texts(await socket.receive())[2], '$welcome');
    return new Liar(socket, scene, name);
  }

  /** The next request; it counts as run. */
  async take(): Promise<Given> {
    const given: Given[] = [];
    while (given.length === 0) {
      const frames = await this.socket.receive();
      assert.ok(frames[0] !== undefined && isPacked(frames[0]), texts(frames).join('|'));
      readPacked(frames, 0, {
        packedRequest: (key, generation, { body }) => {
          const { id } = JSON.parse(body.toString()) as { id: string };
          given.push({ key, generation, id });
        },
        packedReply: () => assert.fail('a router sends no replies'),
        packedCancel: () => undefined,
      });
    }
    const [request] = given;
    assert.ok(request !== undefined && given.length === 1);
    this.scene.log.write({ t: 'began', id: request.id, by: this.runOf(request) });
    return request;
  }

  /** Replies to requests, in one message. */
  async reply(...requests: Given[]): Promise<void> {
    const batch = new PackedBatch();
    for (const { key, generation, id } of requests) {
      const body = Buffer.from(JSON.stringify({ id, by: this.runOf({ id }) }));
      batch.addReply(key, generation, makeReply({ body }));
    }
    await this.socket.send(batch.take());
  }

  private runOf({ id }: Pick<Given, 'id'>): string {
    return `${this.name}-${id}`;
  }
}

describe('replies at the router', () => {
  it('that come twice count once, be it in one message or later', async (t) => {
    const scope = scopeOf(t);
    const [scene, drops] = [new Scene(scope), new Drops(scope)];
    const { router, frontend, backend } = await startRouter(scope);
    const worker = await Liar.join(scope, scene, backend, 'worker');
    const client = await connectClient(scope, frontend);
    const asking = scene.send(client, 'post');
    const given = await worker.take();
    await worker.reply(given, given);
    assert.deepEqual(await outcomesOf([asking]), ['ok']);
    await worker.reply(given);
    await drops.waitFor('late-reply', 2);
    const next = scene.send(client, 'post');
    await worker.reply(given, await worker.take());
    assert.deepEqual(await outcomesOf([next]), ['ok'], 'an old key is none of the next request');
    assert.equal(router.stats().dropped.late, 3);
    assert.equal(scene.assertGuarantees().asked, 2);
  });

  it('that come too late are counted and dropped: after the deadline, after a cancel', async (t) => {
    const scope = scopeOf(t);
    const [scene, drops] = [new Scene(scope), new Drops(scope)];
    const { router, frontend, backend } = await startRouter(scope);
    const worker = await Liar.join(scope, scene, backend, 'worker');
    const client = await connectClient(scope, frontend);
    // The first reply tells the client that it may pack: only so can it cancel.
    const warm = scene.send(client, 'post');
    await worker.reply(await worker.take());
    await warm.settled;
    const expired = scene.send(client, 'post', { timeout: 50 });
    const late = await worker.take();
    assert.deepEqual(await outcomesOf([expired]), ['TIMEOUT, dispatched']);
    await worker.reply(late);
    await drops.waitFor('late-reply', 1);
    const cancelled = scene.send(client, 'post');
    const unwanted = await worker.take();
    cancelled.cancel();
    while ((router.stats().failures.CANCELLED ?? 0) === 0) await new Promise(setImmediate);
    await worker.reply(unwanted);
    await drops.waitFor('late-reply', 2);
    assert.deepEqual(router.stats().dropped, { late: 2, forged: 0, foreign: 0 });
    scene.assertGuarantees();
  });

  it('of somebody else, or made up, settle nothing', async (t) => {
    const scope = scopeOf(t);
    const [scene, drops] = [new Scene(scope), new Drops(scope)];
    const { frontend, backend } = await startRouter(scope);
    const honest = await Liar.join(scope, scene, backend, 'honest');
    const client = await connectClient(scope, frontend);
    const asking = scene.send(client, 'post');
    const given = await honest.take();
    const thief = await Liar.join(scope, scene, backend, 'thief');
    await thief.reply(given);
    await drops.waitFor('foreign-reply', 1);
    const stranger = rawDealer(scope, backend);
    const token = encodeToken(given.key, given.generation);
    await stranger.send([token, '', 'post', JSON.stringify({ id: given.id, by: 'stranger' })]);
    await drops.waitFor('late-reply', 1); // it is no worker that could hold anything
    for (let key = 0; key < 100; key += 1) {
      await thief.reply({ ...given, key, generation: (given.generation ^ (0x5a5a5a5a + key)) >>> 0 });
    }
    await drops.waitFor('unknown-token', 100);
    await honest.reply(given);
    assert.deepEqual(await outcomesOf([asking]), ['ok']);
    scene.assertGuarantees();
  });
});

describe('replies at the client', () => {
  it('that come twice, late or made up settle nothing more', async (t) => {
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
    const late = scene.send(client, 'post', { timeout: 50 });
    const second = await take();
    assert.deepEqual(await outcomesOf([late]), ['TIMEOUT, dispatched']);
    await answer(...second);
    await drops.waitFor('late-reply', 2);
    const asking = scene.send(client, 'post');
    const [peer, token, id] = await take();
    const forged = encodeToken(tokenId(token), (tokenGeneration(token) ^ 0x12345678) >>> 0);
    await answer(peer, forged, id);
    await drops.waitFor('unknown-token', 1);
    await answer(peer, token, id);
    assert.deepEqual(await outcomesOf([asking]), ['ok']);
    scene.assertGuarantees();
  });
});
