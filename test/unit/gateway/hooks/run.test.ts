import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runHooks } from '../../../../src/gateway/hooks/run.ts';

it('hook of the gateway that never ends: does not keep the process alive', () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  void runHooks('onRequest', [() => new Promise(() => undefined)], [], 60_000);
  assert.equal(timers(), before);
});
