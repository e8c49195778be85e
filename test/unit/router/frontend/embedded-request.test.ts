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
  const ask = (eventName: string): EmbeddedRequest =>
    new EmbeddedRequest(core, makeRequest({ eventName }), ({ code }) => codes.push(code || 'ok'));
  const answer = (pending: RouterRequest | undefined, members = {}): void => {
    assert.ok(pending !== undefined);
    core.reply(worker, pending.id, pending.generation, makeReply(members), performance.now());
  };
  return { core, held, cancelled, codes, ask, answer };
}

describe('a request in the thread of the router', () => {
  it('is settled by its worker', () => {
    const { held, codes, ask, answer } = make();
    ask('served');
    answer(held[0]);
    assert.deepEqual(codes, ['ok']);
  });

  it('is never settled before its caller has it', async () => {
    const { codes, ask } = make();
    ask('nobody');
    assert.deepEqual(codes, []);
    await turn();
    await turn();
    assert.deepEqual(codes, ['NO_WORKER']);
  });

  it('is not settled once it is cancelled, be it refused or running', async () => {
    const { held, cancelled, codes, ask, answer } = make();
    ask('nobody').cancel();
    ask('served').cancel();
    answer(held[0]);
    await turn();
    await turn();
    assert.deepEqual([codes, cancelled.length], [[], 1]);
  });

  it('is not settled by a part of its reply', () => {
    const { held, codes, ask, answer } = make();
    ask('served');
    answer(held[0], { more: true });
    assert.deepEqual(codes, []);
    answer(held[0]);
    assert.deepEqual(codes, ['ok']);
  });

  it('harms no other when its caller throws', async (t) => {
    const { core, held, codes, ask, answer } = make();
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
    ask('served');
    answer(held[0]);
    answer(held[1]);
    assert.deepEqual([codes, thrown.map(String)], [['ok'], ['Error: planted']]);
    assert.equal(core.stats().dispatched, 0);
  });
});

describe('a request that no router sees', () => {
  it('is refused at the end of the turn, unless it is cancelled', async () => {
    const codes: string[] = [];
    const refuse = (): RefusedRequest => {
      return new RefusedRequest(failure('NO_ROUTER', 'none'), ({ code }) => codes.push(code));
    };
    refuse();
    refuse().cancel();
    assert.deepEqual(codes, []);
    await turn();
    await turn();
    assert.deepEqual(codes, ['NO_ROUTER']);
  });
});
