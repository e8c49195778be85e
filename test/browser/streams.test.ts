/** Streams in a browser: EventSource, and fetch with the reader of a ReadableStream. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { CHROMIUM, WITHOUT_CHROMIUM } from '../helpers/chromium.ts';
import { type StreamHost, startStreams, TEXT, until } from '../helpers/gateway/stream-worker.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { Scope } from '../helpers/scope.ts';

describe('streams in a browser', { skip: WITHOUT_CHROMIUM }, () => {
  const scope = new Scope();
  let browser: Browser;
  let page: Page;
  let host: StreamHost;

  before(async () => {
    browser = await chromium.launch(CHROMIUM);
    scope.after(() => browser.close());
    host = await startStreams(scope, 'embedded', { helmet: false });
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.goto(`${host.url}/livez`);
  });
  after(() => scope.close());

  it('EventSource: receives events as they arrive, and closing it aborts the handler', async () => {
    const ids = await page.evaluate(
      () =>
        new Promise<string[]>((resolve) => {
          const source = new EventSource('/events/900');
          const seen: string[] = [];
          source.onmessage = ({ lastEventId }) => {
            seen.push(lastEventId);
            if (seen.length < 5) return;
            source.close();
            resolve(seen);
          };
        }),
    );
    assert.deepEqual(ids, ['1', '2', '3', '4', '5']);
    await until(() => host.seen.aborted.length > 0);
  });

  it('EventSource: receives the error event', async () => {
    const code = await page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const source = new EventSource('/broken-events');
          source.addEventListener('error', (event) => {
            const { data } = event as unknown as { data?: string };
            if (data === undefined) return;
            source.close();
            resolve((JSON.parse(data) as { code: string }).code);
          });
        }),
    );
    assert.equal(code, 'HANDLER_ERROR');
  });

  it('fetch: reads a stream with its reader, and a cut stream fails', async () => {
    const result = await page.evaluate(async () => {
      const response = await fetch('/text');
      const reader = response.body?.getReader();
      const bytes: number[] = [];
      for (;;) {
        const next = await reader?.read();
        if (next === undefined || next.done) break;
        bytes.push(...next.value);
      }
      const text = new TextDecoder().decode(new Uint8Array(bytes));
      const cut = await fetch('/broken')
        .then((broken) => broken.text())
        .catch((error: Error) => error.name);
      return { text, cut };
    });
    assert.equal(result.text, TEXT);
    assert.equal(result.cut, 'TypeError');
  });

  it('a form with a file', async () => {
    const reply = await page.evaluate(async () => {
      const form = new FormData();
      form.append('title', 'a');
      form.append('photo', new Blob(['xyz'], { type: 'image/png' }), 'a.png');
      return (await fetch('/form', { method: 'POST', body: form })).json();
    });
    const files = [{ name: 'photo', filename: 'a.png', contentType: 'image/png', length: 3 }];
    assert.deepEqual(reply, { title: 'a', files });
  });
});
