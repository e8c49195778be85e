/** Bodies and replies that are not JSON: files in forms, bytes and text. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { apiOf, parameter } from '../helpers/gateway/api.ts';
import { HOSTS, type Hosted, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester, replyOf } from '../helpers/gateway/requester.ts';

const binary = { type: 'string', format: 'binary' };
const photos = {
  type: 'object',
  required: ['title', 'photo'],
  properties: {
    title: { type: 'string', minLength: 1 },
    count: { type: 'integer' },
    public: { type: 'boolean', default: true },
    tags: { type: 'array', items: { type: 'string' } },
    place: { type: 'object', required: ['city'], properties: { city: { type: 'string' } } },
    photo: { ...binary, maxLength: 10 },
    pages: { type: 'array', items: { type: 'string', contentMediaType: 'application/pdf' }, maxItems: 2 },
  },
  additionalProperties: false,
};
const takes = (content: object): Record<string, unknown> => ({ requestBody: { required: true, content } });
const gives = (...types: string[]): Record<string, unknown> => ({
  responses: { 200: { description: 'ok', content: Object.fromEntries(types.map((type) => [type, {}])) } },
});
const api = apiOf({
  '/photos/{album}': {
    post: {
      parameters: [parameter('album', 'path', { type: 'integer' })],
      ...takes({
        'multipart/form-data': {
          schema: photos,
          encoding: { photo: { contentType: 'image/png, image/jpeg' } },
        },
      }),
    },
  },
  '/assets/{id}': {
    put: {
      parameters: [parameter('id', 'path', { type: 'integer' })],
      ...takes({ 'image/*': { schema: { ...binary, maxLength: 4 } }, 'application/octet-stream': {} }),
    },
  },
  '/notes': { post: { ...takes({ 'text/plain': { schema: { type: 'string', maxLength: 5 } } }) } },
  '/forms': { post: { ...takes({ '*/*': { schema: { type: 'object' } } }) } },
  '/image': { get: gives('image/png') },
  '/page': { get: gives('text/html') },
  '/either': { get: gives('image/png', 'application/json') },
});

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x00, 0xff, 0x0d, 0x0a]);

function formOf(fields: Record<string, string | Blob | readonly (string | Blob)[]>): FormData {
  const form = new FormData();
  for (const [name, given] of Object.entries(fields)) {
    for (const value of [given].flat()) {
      if (typeof value === 'string') form.append(name, value);
      else form.append(name, value, 'ä b.png');
    }
  }
  return form;
}

const png = (bytes: Buffer = PNG): Blob => new Blob([bytes], { type: 'image/png' });
const file = (bytes: Buffer, contentType = 'image/png', filename = 'ä b.png'): object => ({
  filename,
  contentType,
  size: bytes.length,
  content: bytes.toString('base64'),
});

for (const [name, host] of HOSTS) {
  describe(`files and bytes on ${name}`, () => {
    let requester: FakeRequester;
    const open = (t: TestContext, options: object = {}): Promise<Hosted> => {
      requester = new FakeRequester();
      return host(t, { requester, api, ...options });
    };
    const post = async (
      t: TestContext,
      path: string,
      body: RequestInit['body'],
      type?: string,
    ): Promise<Response> => {
      const { url } = await open(t);
      const headers = new Headers(type === undefined ? {} : { 'content-type': type });
      const method = path.startsWith('/assets') ? 'PUT' : 'POST';
      return fetch(url + path, { method, body, headers });
    };

    it(`multipart on ${name}: fields are converted, and files become objects with base64`, async (t) => {
      const form = formOf({
        title: 'Zoë',
        count: '3',
        tags: ['a', 'b,c'],
        place: '{"city":"Oslo"}',
        photo: png(),
        pages: [new Blob(['%PDF'], { type: 'application/pdf' })],
      });
      const response = await post(t, '/photos/7', form);
      assert.equal(response.status, 200, await response.text());
      assert.deepEqual(requester.data, {
        album: 7,
        title: 'Zoë',
        count: 3,
        public: true,
        tags: ['a', 'b,c'],
        place: { city: 'Oslo' },
        photo: file(PNG),
        pages: [file(Buffer.from('%PDF'), 'application/pdf')],
      });
      assert.equal(requester.requests[0]?.extras?.contentType, 'multipart/form-data');
    });

    it(`multipart on ${name}: a JSON part is data, even with a file name`, async (t) => {
      const form = formOf({ title: 'x', photo: png() });
      form.append('place', new Blob(['{"city":"Rome"}'], { type: 'application/json' }));
      const response = await post(t, '/photos/7', form);
      assert.equal(response.status, 200, await response.text());
      assert.deepEqual((requester.data as { place: unknown }).place, { city: 'Rome' });
    });

    const wrong: [what: string, form: () => FormData, pointers: string[]][] = [
      ['a missing file', () => formOf({ title: 'x' }), ['/body/photo']],
      ['an empty file field', () => withEmptyFile(), ['/body/photo']],
      [
        'a file that is too long',
        () => formOf({ title: 'x', photo: png(Buffer.alloc(11)) }),
        ['/body/photo'],
      ],
      ['two files for one', () => formOf({ title: 'x', photo: [png(), png()] }), ['/body/photo']],
      [
        'a wrong media type',
        () => formOf({ title: 'x', photo: new Blob(['x'], { type: 'text/css' }) }),
        ['/body/photo'],
      ],
      [
        'too many files',
        () => formOf({ title: 'x', photo: png(), pages: [png(), png(), png()] }),
        ['/body/pages'],
      ],
      ['wrong fields', () => formOf({ title: '', count: 'many', photo: png() }), ['/body/count']],
      ['a file for a number', () => formOf({ title: 'x', photo: png(), count: png() }), ['/body']],
      ['an unknown file', () => formOf({ title: 'x', photo: png(), other: png() }), ['/body/other']],
    ];
    for (const [what, form, pointers] of wrong) {
      it(`multipart on ${name}: rejects ${what}`, async (t) => {
        const problem = await problemOf(await post(t, '/photos/7', form()));
        assert.deepEqual([problem.status, problem.code], [400, 'INVALID_REQUEST']);
        assert.deepEqual(
          problem.errors?.map(({ pointer }) => pointer),
          pointers,
        );
        assert.equal(requester.requests.length, 0);
      });
    }

    const part = (headers: string, content = 'x'): string => `--b\r\n${headers}\r\n\r\n${content}\r\n`;
    const title = part('Content-Disposition: form-data; name="title"');
    const broken: [what: string, body: string | Buffer, type: string, detail: RegExp][] = [
      ['no boundary', `${title}--b--`, 'multipart/form-data', /no boundary/],
      ['no end', title, 'multipart/form-data; boundary=b', /ends before the last boundary/],
      ['a cut end', `${title}--b-`, 'multipart/form-data; boundary=b', /ends before the last boundary/],
      [
        'bytes after the end',
        `${title}--b--\r\nmore`,
        'multipart/form-data; boundary=b',
        /bytes after the last/,
      ],
      [
        'another boundary',
        `${title}--b--`,
        'multipart/form-data; boundary=c',
        /ends before the last boundary/,
      ],
      [
        'base64',
        `${part('Content-Disposition: form-data; name="title"\r\nContent-Transfer-Encoding: base64')}--b--`,
        'multipart/form-data; boundary=b',
        /the transfer encoding "base64"/,
      ],
      [
        'a field in Latin-1',
        Buffer.from(`${part('Content-Disposition: form-data; name="title"', '\xe4')}--b--`, 'latin1'),
        'multipart/form-data; boundary=b',
        /a field that is not UTF-8/,
      ],
      ['many parts', `${title.repeat(1001)}--b--`, 'multipart/form-data; boundary=b', /more than 1000 parts/],
    ];
    for (const [what, body, type, detail] of broken) {
      it(`multipart on ${name}: rejects a form with ${what}`, async (t) => {
        const problem = await problemOf(await post(t, '/photos/7', body, type));
        assert.equal(problem.status, 400);
        assert.equal(problem.errors?.[0]?.pointer, '/body');
        assert.match(problem.errors[0].detail, detail);
        assert.equal(requester.requests.length, 0);
      });
    }

    it(`bytes on ${name}: a body reaches the worker as base64, with its media type`, async (t) => {
      const response = await post(t, '/assets/1', PNG, 'application/octet-stream');
      assert.equal(response.status, 200, await response.text());
      assert.deepEqual(requester.data, { id: 1, body: PNG.toString('base64') });
      assert.equal(requester.requests[0]?.extras?.contentType, 'application/octet-stream');
    });

    it(`bytes on ${name}: the limit of the schema counts bytes; other types get 415`, async (t) => {
      const long = await problemOf(await post(t, '/assets/1', PNG, 'image/png'));
      assert.deepEqual([long.status, long.errors?.[0]?.pointer], [400, '/body']);
      assert.equal((await post(t, '/assets/1', PNG.subarray(0, 4), 'image/png')).status, 200);
      assert.equal((await post(t, '/assets/1', '<a/>', 'text/xml')).status, 415);
      assert.equal((await post(t, '/forms', PNG, 'image/png')).status, 415);
    });

    it(`text on ${name}: a body reaches the worker as a string`, async (t) => {
      const response = await post(t, '/notes', 'äöüß', 'text/plain; charset=utf-8');
      assert.equal(response.status, 200, await response.text());
      assert.deepEqual(requester.data, { body: 'äöüß' });
      for (const [body, type, status] of [
        ['123456', 'text/plain', 400],
        [Buffer.from([0xff]), 'text/plain', 400],
        ['x', 'text/plain; charset=latin1', 415],
        ['x', 'text/plain; charset=latin1', 415],
        ['{}', 'application/json', 415],
      ] as const) {
        assert.equal((await post(t, '/notes', body, type)).status, status, `${type} ${String(body)}`);
      }
    });

    const replies: [
      path: string,
      reply: unknown,
      headers: Record<string, string>,
      type: string,
      body: Buffer,
    ][] = [
      ['/image', PNG.toString('base64'), {}, 'image/png', PNG],
      ['/image', `${PNG.toString('base64').replace(/=+$/, '')}\n`, {}, 'image/png', PNG],
      ['/image', 'AA==', { 'content-type': 'image/gif' }, 'image/gif', Buffer.from([0])],
      ['/page', '<p>ä</p>', {}, 'text/html', Buffer.from('<p>ä</p>')],
      ['/either', 'AA==', {}, 'application/json', Buffer.from('"AA=="')],
      ['/either', 'AA==', { 'content-type': 'image/png' }, 'image/png', Buffer.from([0])],
    ];
    for (const [path, reply, headers, type, body] of replies) {
      it(`replies on ${name}: ${JSON.stringify(reply)} on ${path} is sent as ${type}`, async (t) => {
        const fake = new FakeRequester({
          [`get${path.replace('/', '.')}`]: () => replyOf(reply, { headers }),
        });
        const { url } = await host(t, { requester: fake, api, replies: { check: 'reject' } });
        const response = await fetch(url + path);
        assert.equal(response.headers.get('content-type'), type);
        assert.deepEqual(Buffer.from(await response.arrayBuffer()), body);
        assert.equal(response.headers.get('content-length'), String(body.length));
      });
    }

    for (const [path, reply] of [
      ['/image', 'no base64!'],
      ['/image', { a: 1 }],
      ['/page', 5],
    ] as const) {
      it(`replies on ${name}: ${JSON.stringify(reply)} on ${path} violates the document`, async (t) => {
        const fake = new FakeRequester({ [`get${path.replace('/', '.')}`]: () => replyOf(reply) });
        const checked = await host(t, { requester: fake, api, replies: { check: 'reject' } });
        assert.equal((await problemOf(await fetch(checked.url + path))).code, 'BAD_REPLY');
        const unchecked = await host(t, { requester: fake, api, replies: { check: 'off' } });
        const response = await fetch(unchecked.url + path);
        assert.equal(response.headers.get('content-type'), 'application/json');
        assert.deepEqual(await response.json(), reply);
      });
    }
  });
}

function withEmptyFile(): FormData {
  const form = formOf({ title: 'x' });
  form.append('photo', new Blob([]), '');
  return form;
}
