import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { failure } from '../../../../src/core/messages/message.ts';
import { Broker } from '../../../../src/router/broker/broker.ts';
import type { RouterRequest } from '../../../../src/router/broker/request.ts';
import { EmbeddedRequest, RefusedRequest } from '../../../../src/router/frontend/embedded-request.ts';
import { turnNow } from '../../../../src/transport/link/turn.ts';
import { makeReply, makeRequest } from '../../wire/messages.ts';

function make() {
  const core = new Broker({ startupGrace: 0 }, turnNow());
  const held: RouterRequest[] = [];
  const cancelled: number[] = [];
  const port = {
    dispatch: (pending: RouterRequest) => held.push(pending) > 0,
    cancel: (id: number) => void cancelled.push(id),
  };
  const worker = core.addWorker(port, { id: 'w', events: ['served'], concurrency: 4 }, performance.now());
  const codes: string[] = [];
  const request = (eventName: string): EmbeddedRequest =>
    new EmbeddedRequest(core, makeRequest({ eventName }), ({ code }) => codes.push(code || 'ok'));
  const reply = (pending: RouterRequest | undefined, members = {}): void => {
    assert.ok(pending !== undefined);
    core.reply(worker, pending.id, pending.generation, makeReply(members), performance.now());
  };
  return { core, held, cancelled, codes, request, reply };
}

describe('EmbeddedRequest', () => {
  it('embedded request: is settled by the reply of its worker', () => {
    const { held, codes, request, reply } = make();
    request('served');
    reply(held[0]);
    assert.deepEqual(codes, ['ok']);
  });

  it('embedded request: is never settled before its caller has the handle', async () => {
    const { codes, request } = make();
    request('unserved');
    assert.deepEqual(codes, []);
    await turn();
    await turn();
    assert.deepEqual(codes, ['NO_WORKER']);
  });

  it('embedded request: is not settled after it is cancelled, whether rejected or running', async () => {
    const { held, cancelled, codes, request, reply } = make();
    request('unserved').cancel();
    request('served').cancel();
    reply(held[0]);
    await turn();
    await turn();
    assert.deepEqual([codes, cancelled.length], [[], 1]);
  });

  it('embedded request: is not settled by a chunk of its reply', () => {
    const { held, codes, request, reply } = make();
    request('served');
    reply(held[0], { more: true });
    assert.deepEqual(codes, []);
    reply(held[0]);
    assert.deepEqual(codes, ['ok']);
  });

  it('embedded request: an error thrown by its caller does not affect other requests', async (t) => {
    const { core, held, codes, request, reply } = make();
    const thrown: unknown[] = [];
    t.mock.method(process, 'nextTick', (raise: () => void) => {
      try {
        raise();
      } catch (error) {
        thrown.push(error);
      }
    });
    new EmbeddedRequest(core, makeRequest({ eventName: 'served' }), () => {
      throw new Error('planted');
    });
    request('served');
    reply(held[0]);
    reply(held[1]);
    assert.deepEqual([codes, thrown.map(String)], [['ok'], ['Error: planted']]);
    assert.equal(core.stats().dispatched, 0);
  });
});

describe('RefusedRequest', () => {
  it('refused request: is rejected in a later turn, unless it is cancelled', async () => {
    const codes: string[] = [];
    const makeRefused = (): RefusedRequest => {
      return new RefusedRequest(failure('NO_ROUTER', 'none'), ({ code }) => codes.push(code));
    };
    makeRefused();
    makeRefused().cancel();
    assert.deepEqual(codes, []);
    await turn();
    await turn();
    assert.deepEqual(codes, ['NO_ROUTER']);
  });
});
