// test:all: 30 s, as root; test/deploy/rollout.test.ts represents it
/**
 * One round of `npm run soak:rollout`, with the times of the Kubernetes manifests divided by ten. Each
 * pod is a host (network namespaces, by iproute2).
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { rollOut } from '../../../soak/lib/rollout/run.ts';
import { hostsSkipReason } from '../../helpers/hosts.ts';
import { scopeOf } from '../../helpers/scope.ts';

it('rollout of every role by the manifests: no idempotent request fails, and no other one runs twice', {
  skip: hostsSkipReason() ?? false,
  timeout: 200_000,
}, async (t) => {
  const { idempotent, others, replaced, problems } = await rollOut(scopeOf(t), {
    rounds: 1,
    scale: 0.1,
    report: (line) => t.diagnostic(line),
  });
  t.diagnostic(`idempotent: ${JSON.stringify(idempotent)}; others: ${JSON.stringify(others)}`);
  assert.deepEqual(problems, []);
  assert.deepEqual(Object.keys(idempotent), ['ok']);
  assert.equal(replaced, 6);
});
