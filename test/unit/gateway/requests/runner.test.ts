import assert from 'node:assert/strict';
import { it } from 'node:test';
import { failure, type ReplyMessage } from '../../../../src/core/messages/message.ts';
import type { GatewayContext } from '../../../../src/gateway/context/gateway-context.ts';
import type { StoreService } from '../../../../src/gateway/durable/store-service.ts';
import { Runner } from '../../../../src/gateway/requests/runner.ts';
import type { Route } from '../../../../src/gateway/routing/route.ts';
import { type RequestStore, StoreUnavailableError } from '../../../../src/store/index.ts';
import { FakeClock, settled } from '../../../helpers/fake-clock.ts';
import fc, { runs } from '../../../helpers/property.ts';

/** How a change in the store ends: stored, or refused by a store that may have stored it. */
type Change = 'stored' | 'refused' | 'stored and refused';

const CHANGES: readonly Change[] = ['stored', 'refused', 'stored and refused'];
const HOLD = { id: 'r1', owner: 'g1', attempt: 1 };

/** A runner with one request, over a store that fails as `changes` says, and then no longer. */
function start(started: boolean, changes: readonly Change[]) {
  const clock = new FakeClock();
  const left = [...changes];
  const dispatched: string[] = [];
  let stored = started ? 'running' : 'accepted';
  const change = (from: string, to: string): Promise<boolean> => {
    const how = left.shift() ?? 'stored';
    const isStored = how !== 'refused' && stored === from;
    if (isStored) stored = to;
    if (how === 'stored') return Promise.resolve(isStored);
    return Promise.reject(new StoreUnavailableError('STORE_UNAVAILABLE', 'it is down', { status: 503 }));
  };
  const store = {
    start: () => change('accepted', 'running'),
    requeue: () => change('running', 'accepted'),
  } as unknown as RequestStore;
  let onReply: ((reply: ReplyMessage) => void) | undefined;
  const requester = {
    reachable: true,
    request: (_request: unknown, reply: (reply: ReplyMessage) => void) => {
      dispatched.push(stored);
      onReply = reply;
      return { cancel: () => undefined };
    },
  };
  const runner = new Runner({
    gateway: { requester, logger: console } as unknown as GatewayContext,
    store: {
      use: (run: (one: RequestStore) => Promise<unknown>) => run(store),
      current: () => HOLD,
      keep: () => undefined,
      drop: () => undefined,
      finish: () => Promise.resolve(),
    } as unknown as StoreService,
    clock,
    routeOf: () => ({}) as Route,
    onChange: () => undefined,
  });
  runner.run(
    {
      hold: HOLD,
      event: 'jobs.once',
      idempotent: false,
      data: Buffer.alloc(0),
      metadata: { operation: 'POST /once', requestId: '', extras: undefined },
      timeout: 3_600_000,
    },
    started,
  );
  return {
    runner,
    dispatched,
    stored: () => stored,
    /** The request comes back from the router, which has not dispatched it. */
    reject: () => onReply?.(failure('NO_WORKER', 'no worker', { dispatched: false })),
    pass: async () => {
      await settled();
      await clock.advanceAsync(10_000);
      await settled();
    },
  };
}

it('runner of stored requests: dispatches only what the store has as running', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(fc.constantFrom(...CHANGES), { maxLength: 12 }),
      async (started, changes) => {
        const { dispatched, reject, pass } = start(started, changes);
        for (let round = 0; round < changes.length + 2; round += 1) {
          await pass();
          reject();
        }
        assert.ok(dispatched.length > 0, 'it was never dispatched');
        assert.deepEqual(new Set(dispatched), new Set(['running']));
      },
    ),
    { numRuns: runs(200) },
  );
});

it('runner of stored requests: leaves a request to the next gateway that it has not dispatched', async () => {
  const { runner, dispatched, stored, pass } = start(false, ['stored and refused', 'refused']);
  await settled();
  await runner.giveUp();
  await pass();
  assert.deepEqual([dispatched, stored(), runner.size], [[], 'accepted', 0]);
});
