import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { withResolvers } from '../../../../src/core/collections/deferred.ts';
import { Emitter } from '../../../../src/core/collections/emitter.ts';

interface Events {
  moved: [from: string, to: string];
  ended: [];
}

class Thing extends Emitter<Events> {
  move(from: string, to: string): void {
    this.notify('moved', from, to);
  }
  end(): void {
    this.notify('ended');
  }
}

/** Runs `body` and returns the one exception that it leaves uncaught. */
async function uncaughtFrom(body: () => void): Promise<unknown> {
  const caught = withResolvers<unknown>();
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', caught.resolve);
  try {
    body();
    return await caught.promise;
  } finally {
    for (const listener of listeners) process.on('uncaughtException', listener);
  }
}

describe('Emitter', () => {
  it('Emitter: passes arguments to listeners and calls once-listeners once', async () => {
    const thing = new Thing();
    const seen: string[] = [];
    thing.on('moved', (from, to) => seen.push(`on ${from} ${to}`));
    thing.once('moved', (from, to) => seen.push(`once ${from} ${to}`));
    const ended = once(thing, 'ended');
    thing.move('a', 'b');
    thing.move('b', 'c');
    thing.end();
    await ended;
    assert.deepEqual(seen, ['on a b', 'once a b', 'on b c']);
  });

  it('Emitter: a listener that throws stops neither the other listeners nor the emitting code', async () => {
    const thing = new Thing();
    const seen: string[] = [];
    const fault = new Error('listener broke');
    const uncaught = await uncaughtFrom(() => {
      thing.on('ended', () => {
        throw fault;
      });
      thing.on('ended', () => seen.push('second'));
      thing.end();
      seen.push('after');
    });
    assert.equal(uncaught, fault);
    assert.deepEqual(seen, ['second', 'after']);
  });
});
