/** Workers of the router's own zone are preferred while they have credit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type {
  RequestView,
  WorkerView,
  ZeroMQRoutingStrategy,
} from '../../../src/router/strategies/strategy.ts';
import { ZoneStrategy } from '../../../src/router/strategies/zone.ts';

const worker = (id: string, zone?: string): WorkerView => {
  return { id, hash: 0, concurrency: 1, held: 0, lastPicked: 0, joined: 0, zone };
};

/** Picks the last candidate, and records what it was offered. */
function lastOf(offers: string[]): ZeroMQRoutingStrategy {
  return {
    name: 'last',
    pick: (candidates) => {
      offers.push(candidates.map(({ id }) => id).join(' '));
      return candidates.at(-1);
    },
  };
}

const request = {} as RequestView;

describe('ZoneStrategy', () => {
  it('ZoneStrategy: offers the workers of its zone, and all of them if there is none', () => {
    const offers: string[] = [];
    const strategy = new ZoneStrategy('a', lastOf(offers));
    const [near, other, far, nowhere] = [
      worker('1', 'a'),
      worker('2', 'a'),
      worker('3', 'b'),
      worker('4'),
    ] as const;
    assert.equal(strategy.pick([near, far, other], request, 0), other);
    assert.equal(strategy.pick([far, near], request, 0), near);
    assert.equal(strategy.pick([far, nowhere], request, 0), nowhere);
    assert.deepEqual([strategy.name, offers], ['last', ['1 2', '3 4']]);
  });

  it('ZoneStrategy: passes replies and losses on to a strategy that follows them', () => {
    const seen: string[] = [];
    const strategy = new ZoneStrategy('a', {
      ...lastOf([]),
      onReply: ({ id }, latency) => void seen.push(`${id} ${latency}`),
      onLeave: ({ id }) => void seen.push(id),
    });
    strategy.onReply?.(worker('1'), 5, true, 0);
    strategy.onLeave?.(worker('2'));
    assert.deepEqual(seen, ['1 5', '2']);
    assert.equal(new ZoneStrategy('a', lastOf([])).onReply, undefined);
  });
});
