/** Middlewares around handlers whose reply is a stream. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { silentLogger } from '../../../../src/core/logging/logging.ts';
import type { Handlers } from '../../../../src/runtime/handlers.ts';
import type { Middlewares } from '../../../../src/runtime/middleware.ts';
import { withMiddlewares } from '../../../../src/runtime/middleware-chain.ts';
import { reply, replyOf } from '../../../../src/runtime/reply.ts';
import { stream } from '../../../../src/runtime/streams/stream.ts';
import { makeStreams } from './fixture.ts';

const stores = new AsyncLocalStorage<string>();
const withStore: Middlewares = [(_data, { eventName }, next) => stores.run(`store of ${eventName}`, next)];

function make(use: Middlewares, handlers: Handlers) {
  return makeStreams(withMiddlewares({ use, handlers }, silentLogger).handlers ?? {});
}

async function* storesSeen() {
  try {
    yield `${stores.getStore()}\n`;
    await turn();
    yield `${stores.getStore()}\n`;
  } finally {
    ended.push(stores.getStore());
  }
}
const ended: (string | undefined)[] = [];

describe('middlewares around streams', () => {
  for (const [how, handler] of Object.entries<Handlers[string]>({
    'an async generator': storesSeen,
    'stream() with a generator': () => stream(storesSeen(), { headers: { 'x-a': '1' } }),
    'a promise of stream()': async () => {
      await turn();
      return stream(storesSeen());
    },
    'a reply with a generator': () => reply(200, storesSeen()),
  })) {
    it(`keep their asynchronous context for ${how}`, async () => {
      const caller = make(withStore, { watch: handler }).send('watch');
      await caller.last;
      assert.equal(caller.text, 'store of watch\nstore of watch\n');
      assert.equal(ended.pop(), 'store of watch');
    });
  }

  it('keep it until a cancelled generator has ended', async () => {
    const caller = make(withStore, { watch: storesSeen }).send('watch', { window: 1, grants: false });
    await caller.arrived(1);
    caller.execution.cancel('cancelled');
    await caller.last;
    await turn();
    assert.equal(ended.pop(), 'store of watch');
  });

  it('change the head of a stream, and its items', async () => {
    const louder: Middlewares = [
      async (_data, _context, next) => {
        const { data } = replyOf(await next());
        const source = data as AsyncIterable<string>;
        const loud = async function* () {
          for await (const item of source) yield item.toUpperCase();
        };
        return reply(201, loud(), { 'x-loud': 'yes' });
      },
    ];
    const caller = make(louder, { watch: () => stream(['a', 'b']) }).send('watch');
    await caller.last;
    assert.equal(caller.text, 'AB');
    assert.equal(caller.parts[0]?.status, 201);
    assert.match(String(caller.parts[0]?.extras), /"x-loud":"yes"/);
  });
});
