import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { request } from 'undici';
import { HOSTS, type Hosted, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';
import { api, FORM_TYPE, JSON_TYPE } from './body-api.ts';

for (const [name, host] of HOSTS) {
  describe(`bodies on ${name}`, () => {
    const requester = new FakeRequester();
    const open = (t: TestContext): Promise<Hosted> =>
      host(t, { requester, api, limits: { body: 1000, depth: 10 }, replies: { check: 'off' } });
    const send = async (
      t: TestContext,
      path: string,
      body: string | Buffer | undefined,
      headers: Record<string, string> = JSON_TYPE,
      method = 'POST',
    ): Promise<Response> => {
      const { url } = await open(t);
      return fetch(url + path, { method, body, headers });
    };

    const passed: [title: string, path: string, body: string, data: string][] = [
      [
        'forwards bytes unchanged',
        '/any',
        ' {"n" : 9007199254740993, "x":1e999}\n',
        ' {"n" : 9007199254740993, "x":1e999}\n',
      ],
      ['keeps __proto__ as data', '/any', '{"__proto__":{"a":1}}', '{"__proto__":{"a":1}}'],
      [
        'reads a duplicate name as workers do: the last one counts',
        '/any',
        '{"a":1,"a":{"b":2}}',
        '{"a":{"b":2}}',
      ],
      ['removes a byte order mark', '/any', '\ufeff{"a":1}', '{"a":1}'],
      ['puts a body that is not an object under `body`', '/value', '[1,2]', '{"body":[1,2]}'],
      ['accepts null as a body', '/value', 'null', '{"body":null}'],
      ['fills in defaults', '/tasks', '{"title":"milk"}', '{"title":"milk","done":false}'],
      [
        'leaves a body without defaults unchanged',
        '/tasks',
        '{ "title":"milk","done":true}',
        '{ "title":"milk","done":true}',
      ],
    ];
    for (const [title, path, body, data] of passed) {
      it(title, async (t) => {
        const response = await send(t, path, body);
        assert.equal(response.status, 200, await response.text());
        assert.equal(requester.text, data);
      });
    }

    it(`bodies on ${name}: path parameters come before the members of a flat body`, async (t) => {
      await send(t, '/tasks/7', '{"title":"milk"}', JSON_TYPE, 'PUT');
      assert.equal(requester.text, '{"id":7,"title":"milk"}');
    });

    it(`bodies on ${name}: an empty object is accepted next to parameters`, async (t) => {
      await send(t, '/tasks/7', ' { } ', JSON_TYPE, 'PUT');
      assert.deepEqual(requester.data, { id: 7 });
    });

    it(`bodies on ${name}: a member equal to a parameter is accepted`, async (t) => {
      assert.equal((await send(t, '/tasks/7', '{"id":7,"a":1}', JSON_TYPE, 'PUT')).status, 200);
      assert.equal(requester.text, '{"id":7,"a":1}');
    });

    it(`bodies on ${name}: a member that contradicts a parameter is rejected`, async (t) => {
      const { errors } = await problemOf(await send(t, '/tasks/7', '{"id":8}', JSON_TYPE, 'PUT'));
      assert.deepEqual(errors, [
        { pointer: '/body/id', detail: 'differs from the parameter with the same name' },
      ]);
    });

    it(`bodies on ${name}: a body is nested if the document says so`, async (t) => {
      await send(t, '/nested/7', '{"id":8}', JSON_TYPE, 'PUT');
      assert.equal(requester.text, '{"id":7,"body":{"id":8}}');
    });

    const refused: [title: string, path: string, body: string, pointer: string, detail: RegExp][] = [
      [
        'JSON that ends early',
        '/any',
        '{"a":',
        '/body',
        /ends too early, at position 5 \(line 1, column 6\)/,
      ],
      [
        'JSON with an unexpected character',
        '/any',
        '{\n "a": 1,\n}',
        '/body',
        /has an unexpected "}", at position 11 \(line 3, column 1\)/,
      ],
      [
        'JSON that is nested too deeply',
        '/any',
        `{"a":${'['.repeat(10)}${']'.repeat(10)}}`,
        '/body',
        /more than 10 levels/,
      ],
      ['a value of another type', '/any', '[]', '/body', /must be an object, not an array/],
      ['a missing member', '/tasks', '{}', '/body/title', /is required/],
      ['an invalid member', '/tasks', '{"title":5}', '/body/title', /must be a string, not an integer/],
    ];
    for (const [title, path, body, pointer, detail] of refused) {
      it(`bodies on ${name}: rejects ${title}`, async (t) => {
        const { errors, status } = await problemOf(await send(t, path, body));
        assert.equal(status, 400);
        assert.equal(errors?.[0]?.pointer, pointer);
        assert.match(errors?.[0]?.detail ?? '', detail);
      });
    }

    it(`bodies on ${name}: rejects bytes that are not UTF-8`, async (t) => {
      const { errors } = await problemOf(await send(t, '/any', Buffer.from('{"a":"\xff"}', 'latin1')));
      assert.deepEqual(errors, [{ pointer: '/body', detail: 'is not UTF-8' }]);
    });

    it(`bodies on ${name}: a body is required if the document says so`, async (t) => {
      const { errors } = await problemOf(await send(t, '/tasks', undefined));
      assert.deepEqual(errors, [{ pointer: '/body', detail: 'is required' }]);
    });

    it(`bodies on ${name}: an optional body may be absent`, async (t) => {
      assert.equal((await send(t, '/value', undefined, {}, 'PATCH')).status, 200);
      assert.equal(requester.text, '{}');
    });

    it(`bodies on ${name}: rejects a body for an operation without one`, async (t) => {
      const { errors } = await problemOf(await send(t, '/bare', '{}'));
      assert.match(errors?.[0]?.detail ?? '', /is not accepted by this operation/);
    });

    it(`bodies on ${name}: reads +json types`, async (t) => {
      for (const type of ['application/vnd.x+json', 'application/vnd.x+json; charset=UTF-8']) {
        assert.equal((await send(t, '/vendor', '{}', { 'content-type': type })).status, 200);
      }
      assert.equal((await send(t, '/any', '{}', { 'content-type': 'application/vnd.y+json' })).status, 200);
      assert.equal(
        (await send(t, '/range', '{}', { 'content-type': 'application/anything+json' })).status,
        200,
      );
    });

    it(`bodies on ${name}: a body without a type has the first type of the document`, async (t) => {
      for (const path of ['/any', '/range', '/vendor']) {
        const { url } = await open(t);
        const { statusCode, body } = await request(url + path, {
          method: 'POST',
          body: Buffer.from('{"a":1}'),
        });
        assert.equal(statusCode, 200, await body.text());
        assert.equal(requester.text, '{"a":1}');
      }
    });

    const types: [path: string, type: string, accept: string][] = [
      ['/any', 'text/plain', 'application/json'],
      ['/any', 'application/json; charset=utf-16', 'application/json'],
      ['/any', 'rubbish', 'application/json'],
      ['/vendor', 'application/json', 'application/vnd.x+json'],
      ['/form', 'application/json', 'application/x-www-form-urlencoded'],
      ['/upload', 'image/png', 'multipart/form-data'],
      ['/tasks', 'application/x-www-form-urlencoded', 'application/json'],
    ];
    for (const [path, type, accept] of types) {
      it(`bodies on ${name}: responds 415 to ${type} on ${path}, with Accept`, async (t) => {
        const response = await send(t, path, '{}', { 'content-type': type });
        assert.equal(response.status, 415);
        assert.equal(response.headers.get('accept'), accept);
        assert.equal((await problemOf(response)).code, 'UNSUPPORTED_MEDIA_TYPE');
      });
    }

    it(`bodies on ${name}: reads forms by the strict rules of parameters`, async (t) => {
      const body = 'n=5&tags=a+b&tags=c%26d&at=%7B%22x%22%3A1%7D&__proto__=p';
      assert.equal((await send(t, '/form', body, FORM_TYPE)).status, 200);
      assert.equal(requester.text, '{"n":5,"tags":["a b","c&d"],"at":{"x":1},"__proto__":"p"}');
      assert.equal(requester.requests.at(-1)?.extras?.contentType, 'application/x-www-form-urlencoded');
      await send(t, '/form', 'tags=one', FORM_TYPE);
      assert.equal(requester.text, '{"tags":["one"]}');
    });

    it(`bodies on ${name}: rejects forms that violate the rules`, async (t) => {
      const { errors } = await problemOf(await send(t, '/form', 'n=0x1&n2=a&at=1x', FORM_TYPE));
      assert.deepEqual(
        errors?.map(({ pointer }) => pointer),
        ['/body/n', '/body/at'],
      );
      assert.match((await problemOf(await send(t, '/form', 'n=%zz', FORM_TYPE))).detail, /percent-encoding/);
    });

    it(`bodies on ${name}: responds 413 to a body above the limit, with and without a declared length`, async (t) => {
      const large = JSON.stringify({ a: 'x'.repeat(2000) });
      assert.equal((await problemOf(await send(t, '/any', large))).code, 'PAYLOAD_TOO_LARGE');
      const { url } = await open(t);
      const stream = new Response(large).body;
      const init = { method: 'POST', body: stream, headers: JSON_TYPE, duplex: 'half' };
      assert.equal(
        (await problemOf(await fetch(`${url}/any`, init as RequestInit))).code,
        'PAYLOAD_TOO_LARGE',
      );
    });

    it(`bodies on ${name}: reads a body that arrives in chunks`, async (t) => {
      const { url } = await open(t);
      const pieces = ['{"a"', ':', '"ü"']
        .map((text) => Buffer.from(text))
        .flatMap((bytes) => [bytes.subarray(0, 2), bytes.subarray(2)]);
      const body = new ReadableStream({
        start(controller) {
          for (const piece of [...pieces, Buffer.from('}')]) controller.enqueue(piece);
          controller.close();
        },
      });
      const init = { method: 'POST', body, headers: JSON_TYPE, duplex: 'half' };
      assert.equal((await fetch(`${url}/any`, init as RequestInit)).status, 200);
      assert.equal(requester.text, '{"a":"ü"}');
    });

    const encoders: [coding: string, encode: (text: string) => Buffer][] = [
      ['gzip', gzipSync],
      ['x-gzip', gzipSync],
      ['br', brotliCompressSync],
      ['deflate', deflateSync],
      ['deflate', deflateRawSync],
      ['identity', (text) => Buffer.from(text)],
    ];
    for (const [coding, encode] of encoders) {
      it(`bodies on ${name}: reads ${coding} by ${encode.name}`, async (t) => {
        const headers = { ...JSON_TYPE, 'content-encoding': coding };
        assert.equal((await send(t, '/any', encode('{"a":"b"}'), headers)).status, 200);
        assert.equal(requester.text, '{"a":"b"}');
      });
    }

    it(`bodies on ${name}: rejects a decompression bomb`, async (t) => {
      const bomb = JSON.stringify({ a: 'x'.repeat(1_000_000) });
      for (const [coding, encode] of encoders.slice(0, 5)) {
        const bytes = encode(bomb);
        if (bytes.length > 1000) continue;
        const problem = await problemOf(
          await send(t, '/any', bytes, { ...JSON_TYPE, 'content-encoding': coding }),
        );
        assert.equal(problem.code, 'PAYLOAD_TOO_LARGE');
        assert.match(problem.detail, /when decompressed/);
      }
    });

    it(`bodies on ${name}: rejects invalid and unknown codings`, async (t) => {
      const broken = await problemOf(
        await send(t, '/any', '{}', { ...JSON_TYPE, 'content-encoding': 'gzip' }),
      );
      assert.match(broken.detail, /is not valid gzip/);
      const unknown = await send(t, '/any', '{}', { ...JSON_TYPE, 'content-encoding': 'zstd' });
      assert.equal(unknown.status, 415);
      assert.equal(unknown.headers.get('accept-encoding'), 'gzip, br, deflate');
    });
  });
}
