import assert from 'node:assert/strict';
import { buffer, text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { withResolvers } from '../../../../src/core/collections/deferred.ts';
import type { HandlerContext } from '../../../../src/index.ts';
import { encodePartData, encodePartEnd, encodePartHead } from '../../../../src/wire/part-segments.ts';
import { within } from '../../../helpers/eventually.ts';
import fc, { runs } from '../../../helpers/property.ts';
import { type Caller, makeStreams, shape } from './fixture.ts';

const KIB64 = 64 * 1024;
const MULTIPART = { contentType: 'multipart/form-data; boundary=x' };

/** Sends a body in chunks of 1000 bytes, as far as the handler grants. Returns how much was sent. */
async function upload(caller: Caller, body: Buffer, turns = 200): Promise<number> {
  let sent = 0;
  for (let round = 0; round < turns && sent < body.length; round += 1) {
    while (sent < body.length && caller.granted > sent) {
      const end = Math.min(sent + 1000, body.length);
      caller.execution.chunk(body.subarray(sent, end), end === body.length);
      sent = end;
    }
    await turn();
  }
  return sent;
}

/** Encodes the parts of a multipart body. */
function segments(parts: readonly { name: string; filename?: string; content: Buffer }[]): Buffer {
  return Buffer.concat(
    parts.flatMap(({ content, ...head }) => [
      encodePartHead({ ...head, contentType: 'text/plain' }),
      ...(content.length === 0 ? [] : [encodePartData(content)]),
      encodePartEnd(),
    ]),
  );
}

/** Rejects with the name and message of the error. */
async function errorOf(reading: Promise<unknown>): Promise<string> {
  return reading.then(
    () => 'no error',
    (error: Error) => `${error.name}: ${error.message}`,
  );
}

describe('uploads', () => {
  it('upload: the handler reads the bytes that the caller sends', async () => {
    const body = Buffer.from(Array.from({ length: 500_000 }, (_, index) => index % 251));
    let read: Buffer | undefined;
    const { send } = makeStreams({
      add: async (_data: unknown, context: HandlerContext) => {
        read = await buffer(context.body);
        return read.length;
      },
    });
    const caller = send('add', { upload: true });
    assert.equal(await upload(caller, body), body.length);
    assert.equal((await caller.last).code, '');
    assert.ok(read?.equals(body));
  });

  it('upload: the caller may send 64 KiB before the handler reads, and 256 KiB ahead of it', async () => {
    const start = withResolvers();
    const reads: (() => void)[] = [];
    const { send } = makeStreams({
      add: async (_data: unknown, { body }: HandlerContext) => {
        await start.promise;
        for await (const _ of body) await new Promise<void>((resolve) => reads.push(resolve));
      },
    });
    const caller = send('add', { upload: true });
    assert.equal(caller.granted, KIB64);
    assert.equal(await upload(caller, Buffer.alloc(2 ** 20), 5), 66_000);
    start.resolve();
    await turn();
    assert.equal(caller.granted, 4 * KIB64);
    for (let chunks = 0; chunks < 70; chunks += 1) {
      await turn();
      reads.shift()?.();
    }
    assert.ok(caller.granted >= 5 * KIB64 && caller.granted < 6 * KIB64, String(caller.granted));
    caller.execution.cancel('cancelled');
    for (const resolve of reads) resolve();
    await caller.last;
  });

  it('upload: nothing is granted while the request is queued', async () => {
    const open = withResolvers();
    const { send } = makeStreams({ wait: () => open.promise, add: () => 1 }, { concurrency: 1 });
    send('wait');
    const caller = send('add', { upload: true });
    assert.equal(caller.granted, 0);
    open.resolve();
    await caller.last;
    assert.equal(caller.granted, KIB64);
  });

  it('upload: a handler may answer without reading, and later chunks are dropped', async () => {
    const { send } = makeStreams({
      no: () => 'no',
      some: async ({}, { body }: HandlerContext) => {
        for await (const chunk of body) return chunk.length;
      },
    });
    const caller = send('no', { upload: true });
    assert.equal((await caller.last).code, '');
    caller.execution.chunk(Buffer.alloc(KIB64), false);
    caller.execution.chunk(Buffer.alloc(10), true);
    const some = send('some', { upload: true, data: {} });
    some.execution.chunk(Buffer.from('abc'), false);
    some.execution.chunk(Buffer.from('def'), true);
    assert.equal(String((await some.last).body), '3');
    assert.deepEqual([shape(caller).length, shape(some).length], [1, 1]);
  });

  it('upload: reading throws when the caller goes away, exceeds its window, or is read twice', async () => {
    const errors: Record<string, string> = {};
    const { send } = makeStreams({
      read: async (name: string, { body }: HandlerContext) => {
        errors[name] = await errorOf(buffer(body));
      },
      twice: async (_data: unknown, { body }: HandlerContext) => {
        await buffer(body);
        return errorOf(buffer(body));
      },
    });
    const gone = send('read', { upload: true, data: 'gone' });
    gone.execution.chunk(Buffer.from('abc'), false);
    gone.execution.cancel('cancelled');
    await gone.last;
    const flooding = send('read', { upload: true, data: 'flooding' });
    for (let chunks = 0; chunks < 6; chunks += 1) flooding.execution.chunk(Buffer.alloc(KIB64), false);
    await flooding.last;
    const twice = send('twice', { upload: true });
    twice.execution.chunk(Buffer.from('abc'), true);
    assert.equal(
      JSON.parse(String((await twice.last).body)),
      'Error: the body of the request was already read',
    );
    assert.deepEqual(errors, {
      gone: 'AbortError: the caller cancelled the request, or went away',
      flooding: 'Error: the caller sent more of the body than its window allows',
    });
  });

  it('upload: chunks without bytes are bounded, and an empty body ends at once', async () => {
    const { send } = makeStreams({
      read: async (_data: unknown, { body }: HandlerContext) => (await buffer(body)).length,
    });
    const caller = send('read', { upload: true });
    caller.execution.chunk(Buffer.alloc(0), false);
    caller.execution.chunk(Buffer.alloc(0), true);
    assert.equal(String((await within(caller.last, 'the reply')).body), '0');
  });

  it('upload: a request without one has an empty body and no parts', async () => {
    const { send } = makeStreams({
      read: async (_data: unknown, { body, parts }: HandlerContext) => {
        for await (const _ of parts) return 'a part';
        return text(body);
      },
    });
    assert.equal(String((await send('read').last).body), '""');
  });

  it('upload: a stream can be read while another one is sent', async () => {
    const { send } = makeStreams({
      upper: async function* (_data: unknown, { body }: HandlerContext) {
        for await (const chunk of body) yield chunk.toString().toUpperCase();
      },
    });
    const caller = send('upper', { upload: true });
    caller.execution.chunk(Buffer.from('ab'), false);
    await caller.arrived(1);
    assert.equal(caller.text, 'AB');
    caller.execution.chunk(Buffer.from('cd'), true);
    await caller.last;
    assert.equal(caller.text, 'ABCD');
  });
});

describe('parts of uploads', () => {
  const readParts = async (_data: unknown, { parts }: HandlerContext): Promise<unknown> => {
    const read = [];
    for await (const { name, filename, contentType, body } of parts) {
      read.push([name, filename ?? null, contentType, (await buffer(body)).toString('base64')]);
    }
    return read;
  };

  it('parts: have the name, file name, type and content that was sent, in chunks of any size', async () => {
    const part = fc.record({
      name: fc.string({ unit: 'grapheme' }),
      filename: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
      content: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    });
    const { send } = makeStreams({ read: readParts });
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 4 }),
        fc.integer({ min: 1, max: 40 }),
        async (parts, size) => {
          const body = segments(parts);
          const caller = send('read', { upload: true, extras: MULTIPART });
          for (let from = 0; from < body.length; from += size) {
            caller.execution.chunk(body.subarray(from, from + size), false);
          }
          caller.execution.chunk(Buffer.alloc(0), true);
          const expected = parts.map(({ name, filename, content }) => [
            name,
            filename ?? null,
            'text/plain',
            content.toString('base64'),
          ]);
          assert.deepEqual(JSON.parse(String((await caller.last).body)), expected);
        },
      ),
      { numRuns: runs(50) },
    );
  });

  it('parts: what is not read of a part is skipped', async () => {
    const kept: AsyncIterable<Buffer>[] = [];
    const { send } = makeStreams({
      names: async (_data: unknown, { parts }: HandlerContext) => {
        const names = [];
        for await (const { name, body } of parts) {
          names.push(name);
          kept.push(body);
        }
        return names;
      },
    });
    const caller = send('names', { upload: true, extras: MULTIPART });
    const content = Buffer.alloc(20_000);
    caller.execution.chunk(
      segments([
        { name: 'a', content },
        { name: 'b', content },
      ]),
      true,
    );
    assert.equal(String((await caller.last).body), '["a","b"]');
    assert.match(await errorOf(buffer(kept[0]!)), /the part "a" cannot be read after the next one was taken/);
  });

  it('parts: a body that ends within a part, or is not multipart, is an error', async () => {
    const { send } = makeStreams({
      read: (data: unknown, context: HandlerContext) => errorOf(readParts(data, context)),
    });
    const body = segments([{ name: 'a', content: Buffer.from('abc') }]);
    const truncated = send('read', { upload: true, extras: MULTIPART });
    truncated.execution.chunk(body.subarray(0, -1), true);
    const raw = send('read', { upload: true, extras: { contentType: 'image/png' } });
    assert.equal(JSON.parse(String((await truncated.last).body)), 'Error: the body ended within a part');
    assert.match(String((await raw.last).body), /must be multipart\/form-data/);
  });
});
