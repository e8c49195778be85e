/** Streams and files of a contract, through a worker and a gateway in memory. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  bytes,
  defineContract,
  defineWorker,
  type FormFile,
  formFile,
  Joi,
  ndjson,
  reply,
  sse,
  upload,
} from 'zeromq-gateway';
import { type TestWorker, testWorker } from 'zeromq-gateway/testing';
import { z } from 'zod';

const PNG = Buffer.from([137, 80, 78, 71]);

const contract = defineContract({
  name: 'streams',
  events: {
    picture: { method: 'GET', path: '/picture', replies: { 200: bytes('image/png', { ranges: true }) } },
    part: { method: 'GET', path: '/part', replies: { 200: bytes('image/png'), 206: bytes('image/png') } },
    csv: { method: 'GET', path: '/csv', replies: { 200: bytes('text/csv') } },
    ticks: {
      method: 'GET',
      path: '/ticks',
      replies: { 200: sse(Joi.object<{ n: number }>({ n: Joi.number() })) },
    },
    lines: { method: 'GET', path: '/lines', replies: { 200: ndjson(z.object({ n: z.number() })) } },
    form: {
      method: 'POST',
      path: '/form',
      bodyTypes: ['multipart/form-data'],
      data: Joi.object<{ title: string; photo: FormFile; more?: FormFile[] }>({
        title: Joi.string().required(),
        photo: formFile({ contentType: 'image/*', maxBytes: 4 }).required(),
        more: Joi.array().items(formFile()),
      }),
    },
    whole: {
      method: 'PUT',
      path: '/whole',
      in: { body: 'body' },
      bodyTypes: ['image/png'],
      data: Joi.object<{ body: Buffer }>({ body: Joi.binary().encoding('base64').required() }),
    },
    add: { method: 'POST', path: '/add', body: upload({ contentType: 'image/*' }) },
  },
});

const worker = defineWorker({
  contract,
  handlers: {
    picture: () => PNG,
    part: () => reply(206, PNG.subarray(1, 2), { 'content-range': 'bytes 1-1/4' }),
    csv: async function* () {
      yield 'a,b\n';
      yield Buffer.from('1,2\n');
    },
    ticks: async function* () {
      yield { n: 1 };
      yield { n: 'wrong' as never };
    },
    lines: async function* () {
      yield { n: 1 };
      yield { n: 2 };
    },
    form: ({ title, photo: { filename, size, content }, more = [] }) => {
      return { title, filename, size, bytes: [...content], more: more.length };
    },
    whole: ({ body }) => ({ bytes: [...body] }),
    add: async (_data, { body }) => {
      let size = 0;
      for await (const chunk of body) size += chunk.length;
      return { size };
    },
  },
});

describe('streams of a contract', () => {
  let test: TestWorker;
  before(async () => {
    test = await testWorker(worker);
  });
  after(() => test.close());

  it('bytes: a Buffer has the media type of the contract', async () => {
    const whole = await test.fetch('/picture');
    assert.deepEqual([whole.status, whole.headers.get('content-type')], [200, 'image/png']);
    assert.deepEqual(Buffer.from(await whole.arrayBuffer()), PNG);
    const part = await test.fetch('/part');
    assert.deepEqual([part.status, part.headers.get('content-type')], [206, 'image/png']);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), PNG.subarray(1, 2));
  });

  it('bytes: a generator has the media type of the contract', async () => {
    const csv = await test.fetch('/csv');
    assert.equal(csv.headers.get('content-type'), 'text/csv');
    assert.equal(await csv.text(), 'a,b\n1,2\n');
  });

  it('ndjson: one line for each item', async () => {
    const lines = await test.fetch('/lines');
    assert.equal(lines.headers.get('content-type'), 'application/x-ndjson');
    assert.equal(await lines.text(), '{"n":1}\n{"n":2}\n');
  });

  it('sse: an item that breaks the contract ends the stream with an error', async () => {
    const text = await (await test.fetch('/ticks')).text();
    assert.match(text, /^data: \{"n":1\}\n\nevent: error\ndata: \{.*BAD_REPLY/);
    assert.doesNotMatch(text, /wrong/);
  });

  it('formFile: the handler receives the file; the gateway checks its type and length', async () => {
    const send = (type: string, content: Uint8Array<ArrayBuffer>): Promise<Response> => {
      const form = new FormData();
      form.append('title', 'Cat');
      form.append('photo', new Blob([content], { type }), 'cat.png');
      form.append('more', new Blob(['x']), 'x.txt');
      return test.fetch('/form', { method: 'POST', body: form });
    };
    const good = await send('image/png', new Uint8Array([1, 2]));
    assert.deepEqual(await good.json(), {
      title: 'Cat',
      filename: 'cat.png',
      size: 2,
      bytes: [1, 2],
      more: 1,
    });
    assert.equal((await send('text/plain', new Uint8Array([1]))).status, 400);
    assert.equal((await send('image/png', new Uint8Array(5))).status, 400);
  });

  it('bodyTypes: a whole binary body reaches the handler as a Buffer', async () => {
    const headers = { 'content-type': 'image/png' };
    const response = await test.fetch('/whole', { method: 'PUT', body: new Uint8Array([7, 8]), headers });
    assert.deepEqual(await response.json(), { bytes: [7, 8] });
  });

  it('upload: the handler reads the body; other media types get 415', async () => {
    const post = (type: string): Promise<Response> =>
      test.fetch('/add', { method: 'POST', body: new Uint8Array(9), headers: { 'content-type': type } });
    assert.deepEqual(await (await post('image/png')).json(), { size: 9 });
    assert.equal((await post('application/pdf')).status, 415);
  });
});
