import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connectWait } from '../../../../src/cli/nodes/connected-client.ts';

it('connection of a command: may take 2 s, or 40 % of a longer timeout, and never more than the timeout', () => {
  assert.deepEqual([300, 2000, 5000, 60_000].map(connectWait), [300, 2000, 2000, 24_000]);
});
