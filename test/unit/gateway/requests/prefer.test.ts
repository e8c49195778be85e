/** The header field Prefer. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { appliedPreferences, readPreferences } from '../../../../src/gateway/requests/prefer.ts';

describe('Prefer', () => {
  const fields: [string | undefined, boolean, number | undefined][] = [
    [undefined, false, undefined],
    ['', false, undefined],
    ['respond-async', true, undefined],
    ['Respond-Async', true, undefined],
    ['respond-async, wait=10', true, 10],
    ['wait=10, respond-async', true, 10],
    ['return=minimal, respond-async;x=y , wait = "5"', true, 5],
    ['wait=3, wait=9', false, 3],
    ['wait=600', false, 60],
    ['wait=0', false, 0],
    ['wait=-1', false, undefined],
    ['wait=soon', false, undefined],
    ['wait', false, undefined],
    ['respond-asynchronously', false, undefined],
    ['x="a, respond-async"', false, undefined],
  ];
  for (const [field, respondAsync, wait] of fields) {
    it(`Prefer: reads ${JSON.stringify(field)}`, () => {
      assert.deepEqual(readPreferences(field), { respondAsync, wait });
    });
  }

  it('Prefer: names the preferences that were applied', () => {
    assert.equal(appliedPreferences({ respondAsync: true, wait: undefined }), 'respond-async');
    assert.equal(appliedPreferences({ respondAsync: true, wait: 0 }), 'respond-async, wait=0');
    assert.equal(appliedPreferences({ respondAsync: false, wait: undefined }), undefined);
  });
});
