/** Streams from handlers to HTTP clients and back, embedded and over sockets. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { bytesOf, MODES, startStreams, TEXT, until } from '../helpers/gateway/stream-worker.ts';
import { allowed, PATIENCE } from '../helpers/patience.ts';

for (const mode of MODES) {
  describe(`streams over HTTP (${mode})`, () => {
    it('server-sent events, lines and bytes arrive unchanged', async (t) => {
      const { url } = await startStreams(t, mode);
      const events = await fetch(`${url}/events/3`);
      assert.equal(events.headers.get('content-type'), 'text/event-stream');
      assert.equal(await events.text(), [1, 2, 3].map((n) => `id: ${n}\ndata: {"n":${n}}\n\n`).join(''));
      const lines = await fetch(`${url}/lines/3`);
      assert.equal(await lines.text(), '{"n":1}\n{"n":2}\n{"n":3}\n');
      const bytes = await fetch(`${url}/bytes/1000000`);
      assert.equal(bytes.headers.get('content-length'), '1000000');
      assert.deepEqual(Buffer.from(await bytes.arrayBuffer()), bytesOf(1_000_000));
      assert.equal(await (await fetch(`${url}/text`)).text(), TEXT);
    });

    it('empty streams and 100,000 events', async (t) => {
      const { url } = await startStreams(t, mode);
      assert.equal(await (await fetch(`${url}/lines/0`)).text(), '');
      assert.equal(await (await fetch(`${url}/events/0`)).text(), '');
      const text = await (await fetch(`${url}/events/100000`)).text();
      assert.equal(text.split('\n\n').length, 100_001);
      assert.ok(text.endsWith('id: 100000\ndata: {"n":100000}\n\n'));
    });

    it('HEAD and ranges', async (t) => {
      const { url } = await startStreams(t, mode);
      const head = await fetch(`${url}/bytes/500000`, { method: 'HEAD' });
      assert.deepEqual([head.status, head.headers.get('content-length')], [200, '500000']);
      const part = await fetch(`${url}/bytes/500000`, { headers: { range: 'bytes=255-256' } });
      assert.deepEqual([part.status, part.headers.get('content-range')], [206, 'bytes 255-256/500000']);
      assert.deepEqual(Buffer.from(await part.arrayBuffer()), Buffer.from([255, 0]));
      const none = await fetch(`${url}/bytes/5`, { headers: { range: 'bytes=9-' } });
      assert.deepEqual([none.status, none.headers.get('content-range')], [416, 'bytes */5']);
    });

    it('a handler that throws: an error event, or a connection that closes', async (t) => {
      const { url } = await startStreams(t, mode);
      const events = await (await fetch(`${url}/broken-events`)).text();
      assert.match(events, /^data: \{"n":1\}\n\nevent: error\ndata: .*HANDLER_ERROR.*\n\n$/);
      const bytes = await fetch(`${url}/broken`);
      await assert.rejects(bytes.arrayBuffer());
    });

    it('a client that disconnects aborts the signal of the handler within 100 ms', async (t) => {
      const { url, seen } = await startStreams(t, mode);
      const abort = new AbortController();
      const response = await fetch(`${url}/events/900`, { signal: abort.signal });
      await response.body?.getReader().read();
      const started = performance.now();
      abort.abort();
      await until(() => seen.aborted.length > 0);
      assert.ok(performance.now() - started < allowed(100));
    });

    it('a slow client does not fill the memory of the worker', async (t) => {
      const { url, gateway } = await startStreams(t, mode);
      const response = await fetch(`${url}/bytes/100000000`);
      const reader = response.body?.getReader();
      let received = 0;
      await reader?.read().then(({ value }) => {
        received += value?.length ?? 0;
      });
      await until(() => gateway.streams.replyStalls > 0);
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.ok(gateway.streams.replyBytes < 50_000_000, String(gateway.streams.replyBytes));
      for (;;) {
        const next = await reader?.read();
        if (next === undefined || next.done) break;
        received += next.value.length;
      }
      assert.equal(received, 100_000_000);
    });

    it('uploads of bytes and forms', async (t) => {
      const { url } = await startStreams(t, mode);
      const body = bytesOf(5_000_000);
      const put = await fetch(`${url}/bytes`, {
        method: 'PUT',
        body,
        headers: { 'content-type': 'image/png' },
      });
      assert.deepEqual(await put.json(), {
        length: body.length,
        sha256: createHash('sha256').update(body).digest('hex'),
        contentType: 'image/png',
      });
      const form = new FormData();
      form.append('title', TEXT);
      form.append('photo', new Blob([bytesOf(300_000)], { type: 'image/png' }), `${TEXT}.png`);
      const post = await fetch(`${url}/form`, { method: 'POST', body: form });
      assert.deepEqual(await post.json(), {
        title: TEXT,
        files: [{ name: 'photo', filename: `${TEXT}.png`, contentType: 'image/png', length: 300_000 }],
      });
    });

    it('a worker that drains ends its events, so that the client connects again', async (t) => {
      const { url, worker } = await startStreams(t, mode);
      const response = await fetch(`${url}/events/900`);
      const text = response.text();
      await worker.stop({ deadline: PATIENCE });
      assert.match(await text, /^id: 1\ndata: [^]*\n\nretry: \d+\n\n$/);
    });
  });
}
