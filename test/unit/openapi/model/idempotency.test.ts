import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Joi from 'joi';
import { bytes, defineContract, type EventDefinition } from '../../../../src/index.ts';
import { ApiRegistry } from '../../../../src/openapi/index.ts';
import { apiOf, documentOf, jsonBody } from '../../../helpers/gateway/api.ts';

const body = jsonBody({ type: 'object' });

function contractOf(event: EventDefinition): unknown {
  const events = { 'a.b': { path: '/a', data: Joi.object({ n: Joi.number() }), ...event } };
  return defineContract({ name: 'test', events }).fragment().paths?.['/a'];
}

describe('x-idempotency', () => {
  it('x-idempotency: is optional, required or absent', () => {
    const { operations } = apiOf({
      '/a': {
        post: { 'x-idempotency': 'optional', ...body },
        patch: { 'x-idempotency': 'required', ...body },
      },
      '/b': { post: body },
    }).snapshot();
    assert.deepEqual(
      operations.map(({ idempotency }) => idempotency),
      ['optional', 'required', undefined],
    );
    // The header is not event data.
    for (const { parameters } of operations) assert.deepEqual(parameters, []);
  });

  it('x-idempotency: a document that describes the header itself keeps its parameter', () => {
    const parameters = [{ name: 'idempotency-key', in: 'header', schema: { type: 'string' } }];
    const { operations, document } = apiOf({
      '/a': { post: { 'x-idempotency': 'optional', parameters, ...body } },
    }).snapshot();
    assert.equal(operations[0]?.parameters[0]?.field, 'idempotency-key');
    assert.equal(document.paths?.['/a']?.post?.parameters?.length, 1);
  });

  for (const [method, more, reason] of [
    ['post', { 'x-idempotency': 'sometimes' }, /x-idempotency must be optional or required, not "sometimes"/],
    [
      'put',
      { 'x-idempotency': 'optional' },
      /x-idempotency applies to POST and PATCH; requests with PUT can be/,
    ],
    [
      'get',
      { 'x-idempotency': 'required' },
      /x-idempotency applies to POST and PATCH; requests with GET can be/,
    ],
    [
      'post',
      {
        'x-idempotency': 'optional',
        responses: { 200: { description: 'ok', content: { 'text/event-stream': {} } } },
      },
      /x-idempotency cannot be combined with streams, which are not stored/,
    ],
  ] as const) {
    it(`x-idempotency: a document is rejected if ${reason.source}`, () => {
      const registry = new ApiRegistry();
      assert.throws(() => registry.put('test', documentOf({ '/a': { [method]: more } })), reason);
    });
  }

  it('x-idempotency: idempotency of an event in TypeScript', () => {
    const item = contractOf({ method: 'POST', idempotency: 'required' }) as Record<string, object>;
    assert.equal((item['post'] as Record<string, unknown>)['x-idempotency'], 'required');
    assert.throws(
      () => contractOf({ method: 'PUT', idempotency: 'optional' }),
      /idempotency applies to POST and PATCH/,
    );
    assert.throws(
      () => contractOf({ method: 'POST', idempotency: 'optional', replies: { 200: bytes('image/png') } }),
      /idempotency cannot be combined with streams/,
    );
    assert.throws(
      () => contractOf({ method: 'POST', idempotency: 'yes' as 'optional' }),
      /idempotency must be one of optional, required|idempotency .*optional/,
    );
  });
});
