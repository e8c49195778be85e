// test:all: 30 s; streams.test.ts represents browsers
/** Swagger UI in a browser: it shows streams as they arrive, and uploads files. */
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { CHROMIUM, WITHOUT_CHROMIUM } from '../helpers/chromium.ts';
import { ownServer } from '../helpers/gateway/hosts.ts';
import { StreamRequester } from '../helpers/gateway/stream-requester.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { streamApi as api } from '../integration/stream-api.ts';

const JSON_REPLY = { contentType: 'application/json' };

describe('Swagger UI: streams', { skip: WITHOUT_CHROMIUM }, () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch(CHROMIUM);
  });
  after(() => browser.close());

  /** Opens the page and one of its operations, ready to be executed. */
  const open = async (
    t: TestContext,
    method: string,
    path: string,
  ): Promise<{ requester: StreamRequester; page: Page; block: Locator; complaints: string[] }> => {
    const requester = new StreamRequester();
    const { url } = await ownServer(t, { requester, api });
    const page = await browser.newPage();
    t.after(() => page.close());
    const complaints: string[] = [];
    page.on('console', (entry) => {
      if (entry.type() === 'error') complaints.push(entry.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${url}/docs`);
    const block = page.locator(`.opblock-${method}`, { has: page.locator(`[data-path="${path}"]`) });
    await block.locator('.opblock-summary-control').click();
    await block.locator('.try-out__btn').click();
    return { requester, page, block, complaints };
  };
  const shown = (block: Locator, text: string): Promise<void> =>
    block.locator('.live-responses-table', { hasText: text }).waitFor({ timeout: PATIENCE });

  it('Swagger UI: shows server-sent events as they arrive, until the user clears them', async (t) => {
    const { requester, block, complaints } = await open(t, 'get', '/events');
    const next = requester.next();
    await block.locator('.execute').click();
    const stream = await next;
    stream.send('data: {"n":1}\n\n');
    await shown(block, 'data: {"n":1}');
    stream.send('data: {"n":');
    stream.send('2}\n\n');
    await shown(block, 'data: {"n":2}');
    assert.equal(stream.cancelled, false);
    assert.match(await block.locator('.live-responses-table').innerText(), /text\/event-stream/);
    await block.locator('.btn-clear').click();
    await stream.until(({ cancelled }) => cancelled);
    assert.equal(await block.locator('.live-responses-table').count(), 0);
    assert.deepEqual(complaints, []);
  });

  it('Swagger UI: another request ends the stream of the first; a stream that ends is shown whole', async (t) => {
    const { requester, block } = await open(t, 'get', '/events');
    const first = requester.next();
    await block.locator('.execute').click();
    const stream = await first;
    stream.send('data: {"n":1}\n\n');
    await shown(block, 'data: {"n":1}');
    const second = requester.next();
    await block.locator('.execute').click();
    const later = await second;
    await stream.until(({ cancelled }) => cancelled);
    assert.equal(requester.streams.length, 2);
    later.send('data: {"n":7}\n\n');
    later.end('data: {"n":8}\n\n');
    await shown(block, 'data: {"n":8}');
    assert.doesNotMatch(await block.locator('.live-responses-table').innerText(), /"n":1\b/);
  });

  it('Swagger UI: shows lines of JSON, and an error before the first item', async (t) => {
    const { requester, block } = await open(t, 'get', '/lines');
    const first = requester.next();
    await block.locator('.execute').click();
    const stream = await first;
    stream.send('{"n":11111}\n', { contentType: 'application/x-ndjson' });
    await shown(block, '11111');
    const second = requester.next();
    await block.locator('.execute').click();
    (await second).fail('WORKER_LOST');
    await shown(block, 'WORKER_LOST');
    const third = requester.next();
    await block.locator('.execute').click();
    const cut = await third;
    cut.send('{"n":55555}\n', { contentType: 'application/x-ndjson' });
    await shown(block, '55555');
    cut.fail('WORKER_LOST');
    await shown(block, 'The stream was cut off');
    await shown(block, '55555');
  });

  it('Swagger UI: uploads a file as the body', async (t) => {
    const { requester, block } = await open(t, 'post', '/upload');
    const buffer = Buffer.from([0, 1, 2, 255]);
    await block
      .locator('.body-param input[type=file], .opblock-section-request-body input[type=file]')
      .setInputFiles({
        name: 'a.bin',
        mimeType: 'application/octet-stream',
        buffer,
      });
    const next = requester.next();
    await block.locator('.execute').click();
    const stream = await next;
    stream.grantBody(65_536);
    await stream.until(({ bodyEnded }) => bodyEnded);
    assert.deepEqual(stream.body, buffer);
    stream.end('{"stored":4}', JSON_REPLY);
    await shown(block, 'stored');
  });

  it('Swagger UI: offers a file picker for each file of a form', async (t) => {
    const { requester, block } = await open(t, 'post', '/form');
    await block.locator('[data-property-name=title] input').fill('Cat');
    await block.locator('[data-property-name=count] input[type=text]').fill('3');
    const picker = block.locator('[data-property-name=photo] input[type=file]');
    await picker.setInputFiles({ name: 'cat.png', mimeType: 'image/png', buffer: Buffer.from('meow') });
    const next = requester.next();
    await block.locator('.execute').click();
    const stream = await next;
    stream.grantBody(65_536);
    await stream.until(({ bodyEnded }) => bodyEnded);
    const data = JSON.parse(stream.request.body.toString()) as unknown;
    assert.deepEqual(data, { title: 'Cat', count: 3 });
    assert.match(stream.body.toString('latin1'), /"filename":"cat\.png".*meow/s);
    stream.end('{"stored":1}', JSON_REPLY);
    await shown(block, 'stored');
  });
});
