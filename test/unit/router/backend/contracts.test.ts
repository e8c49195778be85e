import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContractHold } from '../../../../src/router/backend/contract-versions.ts';
import { AnnouncedContracts } from '../../../../src/router/backend/contracts.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

function make(refuse: (name: string) => string | undefined = () => undefined) {
  const calls: string[] = [];
  const contracts = new AnnouncedContracts({
    put(name) {
      const reason = refuse(name);
      if (reason !== undefined) throw new Error(reason);
      calls.push(`put ${name}`);
    },
    setAvailable: (name, available) => calls.push(`${name} ${available ? 'on' : 'off'}`),
    remove: (name) => calls.push(`remove ${name}`),
  });
  const revisions: number[] = [];
  contracts.on('change', (revision) => revisions.push(revision));
  return { contracts, calls, revisions };
}

/** Contracts are numbers. A larger number is a later version that changes the data of event `e`. */
function makeVersions() {
  const calls: string[] = [];
  const clock = new FakeClock();
  const compare = (before: unknown, after: unknown) => {
    const later = typeof before === 'number' && typeof after === 'number' && after >= before;
    return { reason: later ? undefined : 'GET /x: no', changed: ['e'] };
  };
  const contracts = new AnnouncedContracts(
    {
      put: (name, fragment) => calls.push(`put ${name} ${String(fragment)}`),
      setAvailable: (name, available) => calls.push(`${name} ${available ? 'on' : 'off'}`),
      compare,
    },
    clock,
  );
  return { contracts, calls, clock };
}

/** Acquires a contract and fails the test if it is rejected. */
function acquire(contracts: AnnouncedContracts, name: string, fragment: unknown): ContractHold {
  const hold = contracts.acquire(name, fragment);
  assert.ok(typeof hold !== 'string', typeof hold === 'string' ? hold : '');
  return hold;
}

const refusal = (answer: ContractHold | string): string => (typeof answer === 'string' ? answer : '');

const large = (bytes: number): unknown => ({ x: 'x'.repeat(bytes) });

describe('announced contracts', () => {
  it('announced contracts: are available while a worker announces them', () => {
    const { contracts, calls, revisions } = make();
    const first = acquire(contracts, 'a', { paths: {} });
    const second = acquire(contracts, 'a', { paths: {} });
    contracts.release(first);
    assert.deepEqual(contracts.list(), [{ name: 'a', fragment: { paths: {} }, events: [], available: true }]);
    contracts.release(second);
    assert.deepEqual(contracts.list(), [
      { name: 'a', fragment: { paths: {} }, events: [], available: false },
    ]);
    acquire(contracts, 'a', { paths: {} });
    assert.deepEqual(calls, ['put a', 'a on', 'a off', 'a on']);
    assert.deepEqual([revisions, contracts.revision], [[1, 2, 3], 3]);
  });

  it('announced contracts: may change once no worker serves the former version', () => {
    const { contracts } = make();
    const old = acquire(contracts, 'a', { v: 1 });
    assert.match(refusal(contracts.acquire('a', { v: 2 })), /"a" is refused: it differs/);
    contracts.release(old);
    acquire(contracts, 'a', { v: 2 });
    assert.deepEqual(contracts.list(), [{ name: 'a', fragment: { v: 2 }, events: [], available: true }]);
  });

  it('announced contracts: are rejected with the reason of the checker, and nothing of them is kept', () => {
    const { contracts, revisions } = make((name) => (name === 'b' ? 'it claims GET /x of "a"' : undefined));
    contracts.acquire('a', {});
    assert.equal(contracts.acquire('b', {}), 'it claims GET /x of "a"');
    assert.deepEqual([contracts.list().length, revisions], [1, [1]]);
  });

  it('announced contracts: are dropped if the checker replaced them while no worker served them', () => {
    const standing = new Set<string>();
    const contracts = new AnnouncedContracts({
      put: (name) => {
        standing.clear();
        standing.add(name);
      },
      setAvailable: () => undefined,
      has: (name) => standing.has(name),
    });
    contracts.release(acquire(contracts, 'old', {}));
    acquire(contracts, 'new', { v: 2 });
    assert.deepEqual(
      contracts.list().map(({ name }) => name),
      ['new'],
    );
  });

  it('announced contracts: are rejected if they are nested too deeply to compare', () => {
    const { contracts } = make();
    let fragment: unknown = {};
    for (let depth = 0; depth < 100_000; depth += 1) fragment = [fragment];
    assert.match(refusal(contracts.acquire('a', fragment)), /nested too deeply/);
  });

  it('announced contracts: the oldest one without a worker is evicted at the size limit', () => {
    const { contracts, calls } = make();
    const mega = 1024 * 1024;
    const [a, b] = ['a', 'b', 'c'].map((name) => acquire(contracts, name, large(2 * mega)));
    assert.ok(a !== undefined && b !== undefined);
    contracts.release(b);
    contracts.release(a);
    acquire(contracts, 'd', large(3 * mega));
    assert.deepEqual(
      contracts.list().map(({ name }) => name),
      ['b', 'c', 'd'],
      'the oldest was evicted',
    );
    assert.ok(calls.includes('remove a'));
    assert.match(refusal(contracts.acquire('e', large(4 * mega))), /no room/);
  });

  it('announced contracts: are limited to 1,000', () => {
    const { contracts } = make();
    const holds = Array.from({ length: 1000 }, (_, n) => acquire(contracts, `c${n}`, { n }));
    assert.match(refusal(contracts.acquire('more', {})), /no room/);
    assert.ok(holds[500] !== undefined);
    contracts.release(holds[500]);
    acquire(contracts, 'more', {});
    assert.ok(!contracts.list().some(({ name }) => name === 'c500'));
  });

  it('announced contracts: a later version is accepted beside an earlier one, and the latest is listed', () => {
    const { contracts, calls, clock } = makeVersions();
    const v1 = acquire(contracts, 'a', 1);
    const freed: string[] = [];
    contracts.on('freed', () => freed.push('freed'));
    const v2 = acquire(contracts, 'a', 2);
    const late = acquire(contracts, 'a', 0);
    assert.deepEqual(contracts.list(), [{ name: 'a', fragment: 2, events: [], available: true }]);
    // By event: requests go to the highest rank first.
    assert.deepEqual(
      [late, v1, v2].map(({ version }) => version.ranks.get('e') ?? 0),
      [0, 0, 1],
    );
    assert.match(refusal(contracts.acquire('a', 'other')), /"a" is refused: .*GET \/x: no/);
    contracts.release(v1);
    contracts.release(late);
    assert.deepEqual(freed, ['freed', 'freed']);
    assert.deepEqual(contracts.list(), [{ name: 'a', fragment: 2, events: [], available: true }]);
    assert.deepEqual(calls, ['put a 1', 'a on', 'put a 2']);
    clock.advance(60_000);
    contracts.release(v2);
    assert.equal(contracts.list()[0]?.available, false);
  });

  it('announced contracts: the latest version stays for 30 s without a worker, then an earlier one is listed', () => {
    const { contracts, calls, clock } = makeVersions();
    acquire(contracts, 'a', 1);
    contracts.release(acquire(contracts, 'a', 2));
    clock.advance(29_999);
    assert.equal(contracts.list()[0]?.fragment, 2);
    contracts.release(acquire(contracts, 'a', 2));
    clock.advance(29_999);
    assert.equal(contracts.list()[0]?.fragment, 2);
    clock.advance(1);
    assert.equal(contracts.list()[0]?.fragment, 1);
    assert.deepEqual(calls, ['put a 1', 'a on', 'put a 2', 'put a 1']);
    // The version returns as a later version.
    assert.equal(acquire(contracts, 'a', 2).version.ranks.get('e'), 1);
    assert.equal(contracts.list()[0]?.fragment, 2);
  });

  it('announced contracts: a version that is compatible with the latest one only is rejected', () => {
    const isCompatible = (before: unknown, after: unknown): boolean =>
      [...String(before)].every((part) => String(after).includes(part));
    const contracts = new AnnouncedContracts({
      put: () => undefined,
      setAvailable: () => undefined,
      compare: (before, after) => ({
        reason: isCompatible(before, after) ? undefined : `${String(after)} is not ${String(before)}`,
        changed: ['e'],
      }),
    });
    const freed: string[] = [];
    contracts.on('freed', () => freed.push('freed'));
    const plain = acquire(contracts, 'orders', 'a');
    acquire(contracts, 'orders', 'ab');
    assert.match(refusal(contracts.acquire('orders', 'b')), /"orders" is refused: .*b is not a$/);
    contracts.release(plain);
    assert.deepEqual(freed, ['freed']);
    acquire(contracts, 'orders', 'b');
    assert.match(refusal(contracts.acquire('orders', 'a')), /a is not b$/);
  });

  it('announced contracts: the next earlier version follows, in any order of arrival', () => {
    const { contracts, clock } = makeVersions();
    acquire(contracts, 'a', 2);
    const latest = acquire(contracts, 'a', 4);
    acquire(contracts, 'a', 3);
    acquire(contracts, 'a', 1);
    contracts.release(latest);
    clock.advance(30_000);
    assert.equal(contracts.list()[0]?.fragment, 3);
  });
});
