/** Large contracts are checked one at a time, in slices, between the other work of the router. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContractHold } from '../../../src/router/backend/contract-versions.ts';
import { AnnouncedContracts } from '../../../src/router/backend/contracts.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { SteppedSlices } from '../../helpers/stepped-slices.ts';

const LARGE = 51;
const SMALL = 50;
const STEPS = 3;

/** @param compare whether the checker compares versions; all versions are then compatible. */
function make(compare = false) {
  const calls: string[] = [];
  const clock = new FakeClock();
  const slices = new SteppedSlices();
  const contracts = new AnnouncedContracts(
    {
      put: (name) => calls.push(`put ${name}`),
      setAvailable: (name, available) => calls.push(`${name} ${available ? 'on' : 'off'}`),
      compare: compare ? () => ({ reason: undefined, changed: [] }) : undefined,
      *putting(name) {
        for (let step = 0; step < STEPS; step += 1) {
          calls.push(`check ${name}`);
          yield;
        }
        calls.push(`put ${name}`);
      },
    },
    clock,
    slices,
  );
  const announce = (name: string, fragment: unknown, operations = LARGE) => {
    const abort = new AbortController();
    return { abort, hold: contracts.acquireInSlices(name, fragment, [], operations, abort.signal) };
  };
  return { contracts, calls, slices, announce, clock };
}

function accepted(hold: ContractHold | string): ContractHold {
  assert.ok(typeof hold !== 'string', typeof hold === 'string' ? hold : '');
  return hold;
}

describe('contracts of many operations', () => {
  it('contract checks: large contracts are checked in slices, small ones at once', async () => {
    const { calls, slices, announce } = make();
    assert.ok(!(announce('small', {}, SMALL).hold instanceof Promise));
    const { hold } = announce('large', {});
    assert.ok(hold instanceof Promise);
    assert.deepEqual(calls.slice(-1), ['check large']);
    accepted(announce('other', {}, SMALL).hold as ContractHold);
    await slices.run();
    assert.equal(accepted(await hold).name, 'large');
    assert.equal(slices.count, STEPS);
    assert.deepEqual(calls.slice(-2), ['put large', 'large on']);
    assert.ok(!(announce('large', {}).hold instanceof Promise), 'a known version is not checked again');
  });

  it('contract checks: run one at a time in the order of arrival, without contracts of workers that left', async () => {
    const { calls, slices, announce } = make();
    const [first, second, third] = [announce('a', {}), announce('b', {}), announce('c', {})];
    second.abort.abort();
    assert.equal(await second.hold, 'the worker is gone');
    await slices.run();
    await Promise.all([first.hold, third.hold]);
    const checks = calls.filter((call) => call.startsWith('check'));
    assert.deepEqual(checks, [
      ...Array<string>(STEPS).fill('check a'),
      ...Array<string>(STEPS).fill('check c'),
    ]);
  });

  it('contract checks: nothing is kept of a contract whose worker leaves during the check', async () => {
    const { contracts, calls, slices, announce } = make();
    const { abort, hold } = announce('a', {});
    abort.abort();
    await slices.run();
    assert.equal(await hold, 'the worker is gone');
    assert.deepEqual(calls, ['check a']);
    assert.deepEqual(contracts.list(), []);
  });

  it('contract checks: another version of the contract waits for the check and is then compared with its result', async () => {
    const { contracts, calls, slices, announce } = make();
    const old = accepted(contracts.acquire('a', { v: 1 }));
    contracts.release(old);
    const { hold } = announce('a', { v: 2 });
    const again = announce('a', { v: 1 }, SMALL).hold;
    assert.ok(again instanceof Promise, 'it waits for the check of the contract of this name');
    await slices.run();
    const now = accepted(await hold);
    const refusal = await again;
    assert.match(
      typeof refusal === 'string' ? refusal : '',
      /it differs from the one that other workers serve/,
    );
    const { hold: next } = announce('b', {});
    contracts.release(now);
    assert.deepEqual(calls.slice(-1), ['a off'], 'a contract of another name does not wait');
    await slices.run();
    accepted(await next);
  });

  it('contract checks: an earlier version is checked in slices again if no worker of the later one returns', async () => {
    const { contracts, calls, slices, announce, clock } = make(true);
    const first = announce('a', { v: 1 }).hold;
    await slices.run();
    const earlier = accepted(await first);
    const second = announce('a', { v: 2 }).hold;
    await slices.run();
    contracts.release(accepted(await second));
    const { count } = slices;
    calls.splice(0);
    clock.advance(30_000);
    assert.deepEqual(calls, ['check a'], 'the first step of three');
    assert.deepEqual(contracts.list()[0]?.fragment, { v: 2 });
    await slices.run();
    assert.equal(slices.count - count, STEPS);
    assert.deepEqual([calls.at(-1), contracts.list()[0]?.fragment], ['put a', { v: 1 }]);
    contracts.release(earlier);
    assert.equal(calls.at(-1), 'a off');
  });

  it('contract checks: an embedded worker with the same contract name is rejected until the check ends', async () => {
    const { contracts, slices, announce } = make();
    let freed = 0;
    contracts.on('freed', () => (freed += 1));
    const { hold } = announce('a', {});
    assert.equal(contracts.acquire('a', {}), 'another version of the contract is being checked');
    assert.equal(freed, 0);
    await slices.run();
    await hold;
    assert.equal(freed, 1);
    accepted(contracts.acquire('a', {}));
  });
});
