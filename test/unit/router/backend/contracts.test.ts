import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContractHold } from '../../../../src/router/backend/contract-versions.ts';
import { AnnouncedContracts } from '../../../../src/router/backend/contracts.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

function make(refuse: (name: string) => string | undefined = () => undefined) {
  const told: string[] = [];
  const contracts = new AnnouncedContracts({
    put(name) {
      const reason = refuse(name);
      if (reason !== undefined) throw new Error(reason);
      told.push(`put ${name}`);
    },
    setAvailable: (name, available) => told.push(`${name} ${available ? 'on' : 'off'}`),
    remove: (name) => told.push(`remove ${name}`),
  });
  const revisions: number[] = [];
  contracts.on('change', (revision) => revisions.push(revision));
  return { contracts, told, revisions };
}

/** Contracts are numbers: a larger one is a later version, in which the data of the event `e` differs. */
function makeVersions() {
  const told: string[] = [];
  const clock = new FakeClock();
  const compare = (before: unknown, after: unknown) => {
    const later = typeof before === 'number' && typeof after === 'number' && after >= before;
    return { reason: later ? undefined : 'GET /x: no', changed: ['e'] };
  };
  const contracts = new AnnouncedContracts(
    {
      put: (name, fragment) => told.push(`put ${name} ${String(fragment)}`),
      setAvailable: (name, available) => told.push(`${name} ${available ? 'on' : 'off'}`),
      compare,
    },
    clock,
  );
  return { contracts, told, clock };
}

/** Takes a contract that has to be accepted. */
function take(contracts: AnnouncedContracts, name: string, fragment: unknown): ContractHold {
  const hold = contracts.acquire(name, fragment);
  assert.ok(typeof hold !== 'string', typeof hold === 'string' ? hold : '');
  return hold;
}

const refusal = (answer: ContractHold | string): string => (typeof answer === 'string' ? answer : '');

const large = (bytes: number): unknown => ({ x: 'x'.repeat(bytes) });

describe('announced contracts', () => {
  it('stand as long as a worker brings them, and are unavailable after', () => {
    const { contracts, told, revisions } = make();
    const first = take(contracts, 'a', { paths: {} });
    const second = take(contracts, 'a', { paths: {} });
    contracts.release(first);
    assert.deepEqual(contracts.list(), [{ name: 'a', fragment: { paths: {} }, events: [], available: true }]);
    contracts.release(second);
    assert.deepEqual(contracts.list(), [
      { name: 'a', fragment: { paths: {} }, events: [], available: false },
    ]);
    take(contracts, 'a', { paths: {} });
    assert.deepEqual(told, ['put a', 'a on', 'a off', 'a on']);
    assert.deepEqual([revisions, contracts.revision], [[1, 2, 3], 3]);
  });

  it('may change when nobody serves the old one any more', () => {
    const { contracts } = make();
    const old = take(contracts, 'a', { v: 1 });
    assert.match(refusal(contracts.acquire('a', { v: 2 })), /"a" is refused: it differs/);
    contracts.release(old);
    take(contracts, 'a', { v: 2 });
    assert.deepEqual(contracts.list(), [{ name: 'a', fragment: { v: 2 }, events: [], available: true }]);
  });

  it('are refused with the reason of the checker, and leave no trace', () => {
    const { contracts, revisions } = make((name) => (name === 'b' ? 'it claims GET /x of "a"' : undefined));
    contracts.acquire('a', {});
    assert.equal(contracts.acquire('b', {}), 'it claims GET /x of "a"');
    assert.deepEqual([contracts.list().length, revisions], [1, [1]]);
  });

  it('are forgotten when they gave way to another while nobody served them', () => {
    const standing = new Set<string>();
    const contracts = new AnnouncedContracts({
      put: (name) => {
        standing.clear();
        standing.add(name);
      },
      setAvailable: () => undefined,
      has: (name) => standing.has(name),
    });
    contracts.release(take(contracts, 'old', {}));
    take(contracts, 'new', { v: 2 });
    assert.deepEqual(
      contracts.list().map(({ name }) => name),
      ['new'],
    );
  });

  it('are refused when they are nested too deeply to be compared', () => {
    const { contracts } = make();
    let fragment: unknown = {};
    for (let depth = 0; depth < 100_000; depth += 1) fragment = [fragment];
    assert.match(refusal(contracts.acquire('a', fragment)), /nested too deeply/);
  });

  it('give way when nobody serves them and there is no room', () => {
    const { contracts, told } = make();
    const mega = 1024 * 1024;
    const [a, b] = ['a', 'b', 'c'].map((name) => take(contracts, name, large(2 * mega)));
    assert.ok(a !== undefined && b !== undefined);
    contracts.release(b);
    contracts.release(a);
    take(contracts, 'd', large(3 * mega));
    assert.deepEqual(
      contracts.list().map(({ name }) => name),
      ['b', 'c', 'd'],
      'the oldest went',
    );
    assert.ok(told.includes('remove a'));
    assert.match(refusal(contracts.acquire('e', large(4 * mega))), /no room/);
  });

  it('are a thousand at most', () => {
    const { contracts } = make();
    const holds = Array.from({ length: 1000 }, (_, n) => take(contracts, `c${n}`, { n }));
    assert.match(refusal(contracts.acquire('more', {})), /no room/);
    assert.ok(holds[500] !== undefined);
    contracts.release(holds[500]);
    take(contracts, 'more', {});
    assert.ok(!contracts.list().some(({ name }) => name === 'c500'));
  });

  it('of a later version are taken in beside an earlier one, and the latest is listed', () => {
    const { contracts, told, clock } = makeVersions();
    const v1 = take(contracts, 'a', 1);
    const freed: string[] = [];
    contracts.on('freed', () => freed.push('freed'));
    const v2 = take(contracts, 'a', 2);
    const late = take(contracts, 'a', 0);
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
    assert.deepEqual(told, ['put a 1', 'a on', 'put a 2']);
    clock.advance(60_000);
    contracts.release(v2);
    assert.equal(contracts.list()[0]?.available, false);
  });

  it('of the latest version stay for half a minute without a worker, then an earlier one is served again', () => {
    const { contracts, told, clock } = makeVersions();
    take(contracts, 'a', 1);
    contracts.release(take(contracts, 'a', 2));
    clock.advance(29_999);
    assert.equal(contracts.list()[0]?.fragment, 2);
    contracts.release(take(contracts, 'a', 2));
    clock.advance(29_999);
    assert.equal(contracts.list()[0]?.fragment, 2);
    clock.advance(1);
    assert.equal(contracts.list()[0]?.fragment, 1);
    assert.deepEqual(told, ['put a 1', 'a on', 'put a 2', 'put a 1']);
    // It comes back as a later version.
    assert.equal(take(contracts, 'a', 2).version.ranks.get('e'), 1);
    assert.equal(contracts.list()[0]?.fragment, 2);
  });

  it('that fit to the latest one, and not to each other, are not served side by side', () => {
    const fits = (before: unknown, after: unknown): boolean =>
      [...String(before)].every((part) => String(after).includes(part));
    const contracts = new AnnouncedContracts({
      put: () => undefined,
      setAvailable: () => undefined,
      compare: (before, after) => ({
        reason: fits(before, after) ? undefined : `${String(after)} is not ${String(before)}`,
        changed: ['e'],
      }),
    });
    const freed: string[] = [];
    contracts.on('freed', () => freed.push('freed'));
    const plain = take(contracts, 'orders', 'a');
    take(contracts, 'orders', 'ab');
    assert.match(refusal(contracts.acquire('orders', 'b')), /"orders" is refused: .*b is not a$/);
    contracts.release(plain);
    assert.deepEqual(freed, ['freed']);
    take(contracts, 'orders', 'b');
    assert.match(refusal(contracts.acquire('orders', 'a')), /a is not b$/);
  });

  it('give way to the next earlier one, whichever came last', () => {
    const { contracts, clock } = makeVersions();
    take(contracts, 'a', 2);
    const latest = take(contracts, 'a', 4);
    take(contracts, 'a', 3);
    take(contracts, 'a', 1);
    contracts.release(latest);
    clock.advance(30_000);
    assert.equal(contracts.list()[0]?.fragment, 3);
  });
});
