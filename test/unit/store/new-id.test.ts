import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newRequestId } from '../../../src/store/index.ts';

it('ids of requests: UUIDs of version 7 with the time of their creation, and otherwise random', () => {
  const before = Date.now();
  const ids = Array.from({ length: 1000 }, newRequestId);
  const after = Date.now();
  assert.equal(new Set(ids.map((id) => id.slice(15))).size, ids.length);
  for (const id of ids) {
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
    assert.ok(time >= before && time <= after, id);
  }
});
