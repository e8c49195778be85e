/** Large contracts: checked one at a time, in slices, while the router does its other work. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContractHold } from '../../../src/router/backend/contract-versions.ts';
import { AnnouncedContracts } from '../../../src/router/backend/contracts.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { SteppedSlices } from '../../helpers/stepped-slices.ts';

const LARGE = 51;
const SMALL = 50;
const STEPS = 3;

/** @param compare whether versions are compatible. */
function make(compare = false) {
  const told: string[] = [];
  const clock = new FakeClock();
  const slices = new SteppedSlices();
  const contracts = new AnnouncedContracts(
    {
      put: (name) => told.push(`put ${name}`),
      setAvailable: (name, available) => told.push(`${name} ${available ? 'on' : 'off'}`),
      compare: compare ? () => ({ reason: undefined, changed: [] }) : undefined,
      *putting(name) {
        for (let step = 0; step < STEPS; step += 1) {
          told.push(`check ${name}`);
          yield;
        }
        told.push(`put ${name}`);
      },
    },
    clock,
    slices,
  );
  const bring = (name: string, fragment: unknown, operations = LARGE) => {
    const abort = new AbortController();
    return { abort, hold: contracts.acquireInSlices(name, fragment, [], operations, abort.signal) };
  };
  return { contracts, told, slices, bring, clock };
}

function held(hold: ContractHold | string): ContractHold {
  assert.ok(typeof hold !== 'string', typeof hold === 'string' ? hold : '');
  return hold;
}

describe('contracts of many operations', () => {
  it('are checked in slices, others at once', async () => {
    const { told, slices, bring } = make();
    assert.ok(!(bring('small', {}, SMALL).hold instanceof Promise));
    const { hold } = bring('large', {});
    assert.ok(hold instanceof Promise);
    assert.deepEqual(told.slice(-1), ['check large']);
    held(bring('other', {}, SMALL).hold as ContractHold);
    await slices.run();
    assert.equal(held(await hold).name, 'large');
    assert.equal(slices.count, STEPS);
    assert.deepEqual(told.slice(-2), ['put large', 'large on']);
    assert.ok(!(bring('large', {}).hold instanceof Promise), 'a known version is not checked again');
  });

  it('are checked one at a time, in the order they came, without those of workers that left', async () => {
    const { told, slices, bring } = make();
    const [first, second, third] = [bring('a', {}), bring('b', {}), bring('c', {})];
    second.abort.abort();
    assert.equal(await second.hold, 'the worker is gone');
    await slices.run();
    await Promise.all([first.hold, third.hold]);
    const checks = told.filter((what) => what.startsWith('check'));
    assert.deepEqual(checks, [
      ...Array<string>(STEPS).fill('check a'),
      ...Array<string>(STEPS).fill('check c'),
    ]);
  });

  it('leave no trace when their worker leaves during the check', async () => {
    const { contracts, told, slices, bring } = make();
    const { abort, hold } = bring('a', {});
    abort.abort();
    await slices.run();
    assert.equal(await hold, 'the worker is gone');
    assert.deepEqual(told, ['check a']);
    assert.deepEqual(contracts.list(), []);
  });

  it('are checked against workers that are there: those of the name leave after the check', async () => {
    const { contracts, told, slices, bring } = make();
    const old = held(contracts.acquire('a', { v: 1 }));
    contracts.release(old);
    const { hold } = bring('a', { v: 2 });
    const again = bring('a', { v: 1 }, SMALL).hold;
    assert.ok(again instanceof Promise, 'it waits for the check of its name');
    await slices.run();
    const now = held(await hold);
    const refusal = await again;
    assert.match(
      typeof refusal === 'string' ? refusal : '',
      /it differs from the one that other workers serve/,
    );
    const { hold: next } = bring('b', {});
    contracts.release(now);
    assert.deepEqual(told.slice(-1), ['a off'], 'another name does not wait');
    await slices.run();
    held(await next);
  });

  it('are checked in slices again when the workers of a later version do not return', async () => {
    const { contracts, told, slices, bring, clock } = make(true);
    const first = bring('a', { v: 1 }).hold;
    await slices.run();
    const earlier = held(await first);
    const second = bring('a', { v: 2 }).hold;
    await slices.run();
    contracts.release(held(await second));
    const { count } = slices;
    told.splice(0);
    clock.advance(30_000);
    assert.deepEqual(told, ['check a'], 'the first step of three');
    assert.deepEqual(contracts.list()[0]?.fragment, { v: 2 });
    await slices.run();
    assert.equal(slices.count - count, STEPS);
    assert.deepEqual([told.at(-1), contracts.list()[0]?.fragment], ['put a', { v: 1 }]);
    contracts.release(earlier);
    assert.equal(told.at(-1), 'a off');
  });

  it('keep a local worker of the name out until the check is done', async () => {
    const { contracts, slices, bring } = make();
    let freed = 0;
    contracts.on('freed', () => (freed += 1));
    const { hold } = bring('a', {});
    assert.equal(contracts.acquire('a', {}), 'another version of the contract is being checked');
    assert.equal(freed, 0);
    await slices.run();
    await hold;
    assert.equal(freed, 1);
    held(contracts.acquire('a', {}));
  });
});
