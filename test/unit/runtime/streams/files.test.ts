import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ReplyError } from '../../../../src/core/messages/errors.ts';
import type { HandlerContext } from '../../../../src/index.ts';
import { type FileOptions, file } from '../../../../src/runtime/streams/file-reply.ts';
import { type RangeHeaders, rangeOf } from '../../../../src/runtime/streams/range.ts';
import { type Caller, makeStreams } from './fixture.ts';

describe('ranges', () => {
  const get = (headers: RangeHeaders | string, size = 10) =>
    rangeOf(typeof headers === 'string' ? { range: headers } : headers, size);

  it('range: is the requested part, both ends included (RFC 9110, 14.1.2)', () => {
    assert.deepEqual(get('bytes=0-0'), { start: 0, end: 0 });
    assert.deepEqual(get('bytes=2-5'), { start: 2, end: 5 });
    assert.deepEqual(get('bytes=2-'), { start: 2, end: 9 });
    assert.deepEqual(get('bytes=2-99'), { start: 2, end: 9 });
    assert.deepEqual(get('bytes=-3'), { start: 7, end: 9 });
    assert.deepEqual(get('bytes=-99'), { start: 0, end: 9 });
    assert.deepEqual(get('Bytes = 1-2'), { start: 1, end: 2 });
  });

  it('range: a header that is invalid, has another unit or several ranges means everything', () => {
    for (const range of [
      '',
      'bytes=',
      'bytes=-',
      'bytes=a-b',
      'bytes=5-2',
      'items=0-1',
      'bytes=0-1,3-4',
      '0-1',
    ]) {
      assert.equal(get(range), undefined, range);
    }
    assert.equal(get({}), undefined);
  });

  it('range: after the end of the resource is 416', () => {
    const of416 = (error: unknown): boolean =>
      error instanceof ReplyError &&
      error.status === 416 &&
      error.headers?.['content-range'] === 'bytes */10';
    for (const range of ['bytes=10-', 'bytes=10-20', 'bytes=-0'])
      assert.throws(() => get(range), of416, range);
    assert.throws(() => get('bytes=0-', 0), { status: 416 });
  });

  it('range: If-Range must match the validators', () => {
    const validators = { etag: '"a"', lastModified: 'Thu, 01 Jan 1970 00:00:00 GMT' };
    const matches = (ifRange: string) =>
      rangeOf({ range: 'bytes=0-1', ifRange }, 10, validators) !== undefined;
    assert.deepEqual([matches('"a"'), matches(validators.lastModified)], [true, true]);
    for (const other of ['"b"', 'W/"a"', 'Thu, 01 Jan 1970 00:00:01 GMT', 'a'])
      assert.equal(matches(other), false);
    assert.equal(rangeOf({ range: 'bytes=0-1', ifRange: '"a"' }, 10), undefined);
  });
});

describe('files', () => {
  let root = '';
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
  before(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'zmq-gateway-files-'));
    await mkdir(path.join(root, 'public'));
    await writeFile(path.join(root, 'secret.txt'), 'secret');
    await writeFile(path.join(root, 'public/plan.pdf'), content);
    await writeFile(path.join(root, 'public/empty.txt'), '');
    await utimes(path.join(root, 'public/plan.pdf'), 1_000_000, 1_000_000);
    await symlink(path.join(root, 'secret.txt'), path.join(root, 'public/link.txt'));
  });
  after(() => rm(root, { recursive: true }));

  const { send } = makeStreams({
    get: ({ name, options }: { name: string; options?: FileOptions }, context: HandlerContext) =>
      file(name, context, { root: path.join(root, 'public'), ...options }),
  });
  const headersOf = ({ parts }: Caller) =>
    (JSON.parse(String(parts[0]?.extras)) as { headers: Record<string, string> }).headers;

  it('file: is sent whole, with its length, type, validators and name', async () => {
    const caller = send('get', { data: { name: 'plan.pdf' } });
    assert.equal((await caller.last).code, '');
    assert.ok(caller.bytes.equals(content));
    assert.deepEqual(
      [caller.parts[0]?.status, headersOf(caller)],
      [
        200,
        {
          'accept-ranges': 'bytes',
          etag: '"3b9aca00-493e0"',
          'last-modified': 'Mon, 12 Jan 1970 13:46:40 GMT',
          'content-disposition': 'attachment; filename=plan.pdf',
          'content-length': '300000',
          'content-type': 'application/pdf',
        },
      ],
    );
  });

  it('file: options set the type, the name and further headers', async () => {
    const options = {
      filename: 'Pläne €.pdf',
      inline: true,
      contentType: 'image/png',
      headers: { 'cache-control': 'no-store' },
    };
    const caller = send('get', { data: { name: 'plan.pdf', options } });
    await caller.last;
    const {
      'content-disposition': disposition,
      'content-type': type,
      'cache-control': cache,
    } = headersOf(caller);
    assert.match(disposition ?? '', /^inline; filename=".*"; filename\*=UTF-8''Pl%C3%A4ne%20%E2%82%AC\.pdf$/);
    assert.deepEqual([type, cache], ['image/png', 'no-store']);
  });

  it('file: a range is 206 with its part, and 416 after the end', async () => {
    const ask = (range: string, ifRange?: string) =>
      send('get', { data: { name: 'plan.pdf' }, extras: { range, ifRange } });
    const part = ask('bytes=1000-99999', '"3b9aca00-493e0"');
    await part.last;
    assert.ok(part.bytes.equals(content.subarray(1000, 100_000)));
    const { 'content-range': contentRange, 'content-length': length } = headersOf(part);
    assert.deepEqual(
      [part.parts[0]?.status, contentRange, length],
      [206, 'bytes 1000-99999/300000', '99000'],
    );
    const changed = ask('bytes=0-1', '"other"');
    await changed.last;
    assert.deepEqual([changed.parts[0]?.status, changed.bytes.length], [200, 300_000]);
    const { status, code } = await ask('bytes=300000-').last;
    assert.deepEqual([status, code], [416, 'RANGE_NOT_SATISFIABLE']);
  });

  it('file: an empty file is sent, and a HEAD request reads nothing', async () => {
    const empty = send('get', { data: { name: 'empty.txt' } });
    assert.equal((await empty.last).code, '');
    assert.deepEqual([empty.bytes.length, headersOf(empty)['content-length']], [0, '0']);
    const head = send('get', { data: { name: 'plan.pdf' }, extras: { method: 'HEAD' } });
    await head.last;
    assert.deepEqual([head.bytes.length, headersOf(head)['content-length']], [0, '300000']);
  });

  it('file: a path that leads out of the root, and a missing file, are 404', async () => {
    const names = [
      '../secret.txt',
      '/secret.txt',
      'link.txt',
      'missing.txt',
      '.',
      '',
      'plan.pdf/x',
      'a\0b',
      '../public/../secret.txt',
    ];
    for (const name of names) {
      const { status, body } = await send('get', { data: { name } }).last;
      assert.equal(status, 404, name);
      assert.ok(!String(body).includes(root), String(body));
    }
    const inside = send('get', { data: { name: '../public/empty.txt' } });
    assert.equal((await inside.last).code, '');
  });

  it('file: one that shrinks while it is sent does not look complete', async () => {
    const name = 'shrinks.bin';
    await writeFile(path.join(root, 'public', name), Buffer.alloc(2_000_000));
    const caller = send('get', { data: { name }, grants: false });
    await caller.arrived(4);
    await truncate(path.join(root, 'public', name), 300_000);
    caller.execution.window(10_000_000);
    assert.equal((await caller.last).code, 'BAD_REPLY');
  });
});
