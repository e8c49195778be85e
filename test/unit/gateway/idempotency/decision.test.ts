import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decideCreation,
  decideKey,
  type Execution,
  isReplyOfHandler,
  settlementOf,
} from '../../../../src/gateway/idempotency/decision.ts';
import { fingerprintOf } from '../../../../src/gateway/idempotency/fingerprint.ts';
import type { RequestState, StoredRequest } from '../../../../src/store/index.ts';

const FINGERPRINT = fingerprintOf(Buffer.from('{"a":1}'));
const OTHER = fingerprintOf(Buffer.from('{"a":2}'));

function stored(state: RequestState, { status, code }: Partial<StoredRequest> = {}): StoredRequest {
  return {
    id: 'r1',
    caller: 'ann',
    event: 'orders.create',
    key: 'k',
    fingerprint: FINGERPRINT,
    state,
    idempotent: false,
    cancelRequested: false,
    attempt: 1,
    createdAt: 0,
    startedAt: undefined,
    finishedAt: undefined,
    expiresAt: undefined,
    progress: undefined,
    status,
    code,
  };
}

/** The code of a rejection and its Retry-After, or the action. */
function shown(decision: ReturnType<typeof decideCreation> | ReturnType<typeof decideKey>): unknown {
  if (decision.action !== 'reject') return decision.action;
  const { code, headers, dispatched } = decision.problem;
  return [code, headers?.[1], dispatched];
}

describe('idempotency: key', () => {
  it('idempotency: a valid key is stored, whether it is optional or required', () => {
    for (const rule of ['optional', 'required'] as const) {
      assert.deepEqual(decideKey(rule, '"k"'), { action: 'store', key: 'k' });
    }
  });

  it('idempotency: a missing key is rejected only if it is required', () => {
    assert.equal(shown(decideKey('optional', undefined)), 'plain');
    assert.deepEqual(shown(decideKey('required', undefined)), ['IDEMPOTENCY_KEY_MISSING', undefined, false]);
  });

  it('idempotency: an invalid key is rejected, even if it is optional', () => {
    assert.deepEqual(shown(decideKey('optional', '"a", "b"')), ['IDEMPOTENCY_KEY_INVALID', undefined, false]);
  });
});

describe('idempotency: stored requests', () => {
  it('idempotency: a new key runs', () => {
    const hold = { id: 'r1', owner: 'g', attempt: 1 };
    const creation = { outcome: 'created', request: stored('running'), hold } as const;
    assert.deepEqual(decideCreation(creation, FINGERPRINT), { action: 'run' });
  });

  const RUNNING = ['IDEMPOTENCY_KEY_RUNNING', '1', false];
  const REPEATED: [string, StoredRequest, unknown][] = [
    ['accepted', stored('accepted'), RUNNING],
    ['running', stored('running'), RUNNING],
    ['succeeded', stored('succeeded', { status: 201, code: '' }), 'replay'],
    ['failed', stored('failed', { status: 404, code: 'NOT_FOUND' }), 'replay'],
    ['unknown', stored('unknown', { code: 'TIMEOUT' }), ['OUTCOME_UNKNOWN', undefined, true]],
    ['cancelled', stored('cancelled', { code: 'CANCELLED' }), ['REQUEST_CANCELLED', undefined, undefined]],
    [
      'succeeded without its large result',
      stored('succeeded', { code: 'RESULT_TOO_LARGE' }),
      ['RESULT_TOO_LARGE', undefined, true],
    ],
    ['about to be deleted', stored('failed', { code: 'NO_WORKER' }), RUNNING],
  ];
  for (const [name, request, expected] of REPEATED) {
    it(`idempotency: a repeated key of a request that is ${name}`, () => {
      const creation = { outcome: 'existing', request } as const;
      assert.deepEqual(shown(decideCreation(creation, FINGERPRINT)), expected);
      // Other data never gets the result, whatever the state is.
      const reused = ['IDEMPOTENCY_KEY_REUSED', undefined, false];
      assert.deepEqual(shown(decideCreation(creation, OTHER)), reused);
    });
  }

  it('idempotency: a full store rejects, and says whose limit it is', () => {
    const problem = (limit: 'bytes' | 'requests' | 'bytesPerCaller' | 'requestsPerCaller') =>
      shown(decideCreation({ outcome: 'full', limit }, FINGERPRINT));
    assert.deepEqual(problem('bytes'), ['STORE_FULL', '60', false]);
    assert.deepEqual(problem('requests'), ['STORE_FULL', '60', false]);
    assert.deepEqual(problem('bytesPerCaller'), ['STORE_QUOTA', '60', false]);
    assert.deepEqual(problem('requestsPerCaller'), ['STORE_QUOTA', '60', false]);
  });
});

describe('idempotency: settlement', () => {
  const LOST: Execution = {
    status: 502,
    replied: false,
    dispatched: true,
    cancelled: false,
    idempotent: false,
  };

  it('idempotency: a reply is that of a handler unless the request was not dispatched or it is lost', () => {
    for (const code of ['', 'HANDLER_ERROR', 'OUT_OF_STOCK', 'BAD_REPLY']) {
      assert.equal(isReplyOfHandler(code, true), true, code);
      assert.equal(isReplyOfHandler(code, false), false, code);
    }
    for (const code of ['TIMEOUT', 'WORKER_LOST', 'CANCELLED']) {
      assert.equal(isReplyOfHandler(code, true), false, code);
    }
  });

  it('idempotency: the reply of a handler is kept, success or not', () => {
    const replied = { ...LOST, replied: true };
    const kept = { keepResult: true, releaseKey: false };
    assert.deepEqual(settlementOf({ ...replied, status: 201 }), { state: 'succeeded', ...kept });
    assert.deepEqual(settlementOf({ ...replied, status: 302 }), { state: 'succeeded', ...kept });
    assert.deepEqual(settlementOf({ ...replied, status: 409 }), { state: 'failed', ...kept });
    // A cancellation that came too late does not change that the handler ran.
    assert.equal(settlementOf({ ...replied, status: 201, cancelled: true }).state, 'succeeded');
  });

  it('idempotency: a request that was not dispatched releases its key', () => {
    for (const idempotent of [false, true]) {
      const settlement = settlementOf({ ...LOST, dispatched: false, idempotent });
      assert.deepEqual(settlement, { state: 'failed', keepResult: false, releaseKey: true });
    }
  });

  it('idempotency: a lost reply is unknown and never runs again, unless the event is idempotent', () => {
    const unknown = { state: 'unknown', keepResult: false, releaseKey: false };
    assert.deepEqual(settlementOf(LOST), unknown);
    assert.deepEqual(settlementOf({ ...LOST, dispatched: undefined }), unknown);
    const idempotent = settlementOf({ ...LOST, idempotent: true });
    assert.deepEqual(idempotent, { state: 'failed', keepResult: false, releaseKey: true });
  });

  it('idempotency: a key is never released after a request that may have run and is not idempotent', () => {
    for (const dispatched of [true, undefined]) {
      for (const cancelled of [true, false]) {
        for (const replied of [true, false]) {
          assert.equal(settlementOf({ ...LOST, dispatched, cancelled, replied }).releaseKey, false);
        }
      }
    }
  });
});
