import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RequestIds, traceContext } from '../../../../src/gateway/common/request-id.ts';

describe('request ids', () => {
  it('request ids: are those of the caller if valid, otherwise new ones', () => {
    const ids = new RequestIds();
    assert.equal(ids.next('a-b_c.d~e:f@g+h/i=j'), 'a-b_c.d~e:f@g+h/i=j');
    const made = ['', 'a b', 'x'.repeat(129), 'ä', 'a\nb', undefined, ['a', 'b']].map((given) =>
      ids.next(given),
    );
    assert.equal(new Set(made).size, made.length);
    assert.notEqual(new RequestIds().next(undefined), new RequestIds().next(undefined));
  });
});

describe('trace context', () => {
  const valid = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  it('trace context: is forwarded if it is valid', () => {
    assert.deepEqual(traceContext({ traceparent: valid }), { traceparent: valid });
    assert.deepEqual(traceContext({ traceparent: valid, tracestate: 'a=b,c=d' }), {
      traceparent: valid,
      tracestate: 'a=b,c=d',
    });
    assert.deepEqual(traceContext({ traceparent: `01${valid.slice(2)}-more` }), {
      traceparent: `01${valid.slice(2)}-more`,
    });
  });

  it('trace context: is dropped if it is not valid', () => {
    const wrong = [
      '',
      valid.toUpperCase(),
      valid.slice(1),
      `ff${valid.slice(2)}`,
      `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
      `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    ];
    for (const traceparent of wrong) assert.equal(traceContext({ traceparent }), undefined, traceparent);
    assert.deepEqual(traceContext({ traceparent: valid, tracestate: 'ä' }), { traceparent: valid });
  });
});
