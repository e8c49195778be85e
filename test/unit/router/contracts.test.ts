import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AnnouncedContracts } from '../../../src/router/contracts.ts';

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

const large = (bytes: number): unknown => ({ x: 'x'.repeat(bytes) });

describe('announced contracts', () => {
  it('stand as long as a worker brings them, and are unavailable after', () => {
    const { contracts, told, revisions } = make();
    assert.equal(contracts.acquire('a', { paths: {} }), undefined);
    assert.equal(contracts.acquire('a', { paths: {} }), undefined);
    contracts.release('a');
    assert.deepEqual(contracts.list(), [{ name: 'a', fragment: { paths: {} }, events: [], available: true }]);
    contracts.release('a');
    contracts.release('a');
    assert.deepEqual(contracts.list(), [
      { name: 'a', fragment: { paths: {} }, events: [], available: false },
    ]);
    assert.equal(contracts.acquire('a', { paths: {} }), undefined);
    assert.deepEqual(told, ['put a', 'a on', 'a off', 'a on']);
    assert.deepEqual([revisions, contracts.revision], [[1, 2, 3], 3]);
  });

  it('may change when nobody serves the old one any more', () => {
    const { contracts } = make();
    contracts.acquire('a', { v: 1 });
    assert.match(contracts.acquire('a', { v: 2 }) ?? '', /"a" differs/);
    contracts.release('a');
    assert.equal(contracts.acquire('a', { v: 2 }), undefined);
    assert.deepEqual(contracts.list(), [{ name: 'a', fragment: { v: 2 }, events: [], available: true }]);
  });

  it('are refused with the reason of the checker, and leave no trace', () => {
    const { contracts, revisions } = make((name) => (name === 'b' ? 'it claims GET /x of "a"' : undefined));
    contracts.acquire('a', {});
    assert.equal(contracts.acquire('b', {}), 'it claims GET /x of "a"');
    contracts.release('b');
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
    contracts.acquire('old', {});
    contracts.release('old');
    assert.equal(contracts.acquire('new', { v: 2 }), undefined);
    assert.deepEqual(
      contracts.list().map(({ name }) => name),
      ['new'],
    );
  });

  it('are refused when they are nested too deeply to be compared', () => {
    const { contracts } = make();
    let fragment: unknown = {};
    for (let depth = 0; depth < 100_000; depth += 1) fragment = [fragment];
    assert.match(contracts.acquire('a', fragment) ?? '', /nested too deeply/);
  });

  it('give way when nobody serves them and there is no room', () => {
    const { contracts, told } = make();
    const mega = 1024 * 1024;
    for (const name of ['a', 'b', 'c']) assert.equal(contracts.acquire(name, large(2 * mega)), undefined);
    contracts.release('b');
    contracts.release('a');
    assert.equal(contracts.acquire('d', large(3 * mega)), undefined);
    assert.deepEqual(
      contracts.list().map(({ name }) => name),
      ['b', 'c', 'd'],
      'the oldest went',
    );
    assert.ok(told.includes('remove a'));
    assert.match(contracts.acquire('e', large(4 * mega)) ?? '', /no room/);
  });

  it('are a thousand at most', () => {
    const { contracts } = make();
    for (let n = 0; n < 1000; n += 1) assert.equal(contracts.acquire(`c${n}`, { n }), undefined);
    assert.match(contracts.acquire('more', {}) ?? '', /no room/);
    contracts.release('c500');
    assert.equal(contracts.acquire('more', {}), undefined);
    assert.ok(!contracts.list().some(({ name }) => name === 'c500'));
  });
});
