// test:all: 30 s; streams.test.ts represents browsers
/**
 * Swagger UI in a browser: it loads everything from this server, logs nothing on the console, and
 * its requests arrive.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Joi from 'joi';
import { type Browser, chromium, type Page } from 'playwright-core';
import { defineContract, ZeroMQWorker } from '../../src/index.ts';
import { CHROMIUM, WITHOUT_CHROMIUM } from '../helpers/chromium.ts';
import { apiOf, documentOf, parameter } from '../helpers/gateway/api.ts';
import { HOSTS, ownServer } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';
import { startSamples } from '../helpers/gateway/samples.ts';
import { untilJoined } from '../helpers/published.ts';
import { Scope } from '../helpers/scope.ts';

const KEY = 'a-very-secret-key';
const auth = { schemes: { key: { type: 'apiKey', keys: [{ id: 'eva', key: KEY }] } as const } };

describe('Swagger UI', { skip: WITHOUT_CHROMIUM }, () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch(CHROMIUM);
  });
  after(() => browser.close());

  for (const [name, host] of HOSTS) {
    it(`Swagger UI: works on ${name}`, async (t) => {
      const message = parameter('message', 'path', { type: 'string' });
      const operation = { parameters: [message], security: [{ key: [] }], summary: "costs $& or $'" };
      const securitySchemes = { key: { type: 'apiKey', in: 'header', name: 'X-API-Key' } };
      const api = apiOf({ '/echo/{message}': { get: operation } }, { securitySchemes });
      const requester = new FakeRequester();
      const { url } = await host(t, { requester, api, auth });
      const page = await browser.newPage();
      t.after(() => page.close());
      const complaints: string[] = [];
      const hosts = new Set<string>();
      page.on('console', (entry) => {
        if (entry.type() === 'error' || entry.type() === 'warning') complaints.push(entry.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('request', (request) => hosts.add(new URL(request.url()).host));

      await page.goto(`${url}/docs`);
      assert.deepEqual(await operations(page), ['/echo/{message}']);
      await page.click('button.authorize');
      await page.fill('.auth-container input', KEY);
      await page.click('.auth-btn-wrapper button.authorize');
      await page.click('.auth-btn-wrapper button.btn-done');
      await page.locator('.opblock').first().click();
      await page.click('.try-out__btn');
      await page.fill('.parameters input[placeholder="message"]', 'hello you');
      await page.click('.execute');
      const reply = page.locator('.live-responses-table .highlight-code code').first();
      assert.deepEqual(JSON.parse(await reply.innerText()), { message: 'hello you' });
      assert.equal(requester.requests.at(-1)?.extras?.caller?.id, 'eva');

      api.put('late', documentOf({ '/late': { get: {} } }));
      await page.reload();
      assert.deepEqual(await operations(page), ['/echo/{message}', '/late']);
      assert.deepEqual(complaints, []);
      assert.deepEqual(
        [...hosts].filter((one) => one !== ''),
        [new URL(url).host],
      );
    });
  }
});

describe('Swagger UI for readers', { skip: WITHOUT_CHROMIUM }, () => {
  const scope = new Scope();
  after(() => scope.close());

  it('Swagger UI: prefills parameters, marks operations without a worker, and keeps credentials', async (t) => {
    const securitySchemes = { key: { type: 'apiKey', in: 'header', name: 'X-API-Key' } };
    const id = parameter('id', 'path', { type: 'string', format: 'uuid' });
    const get = { parameters: [id], security: [{ key: [] }], summary: 'Get one' };
    const api = apiOf(
      { '/here/{id}': { get } },
      { securitySchemes },
      { info: { title: 'Shop', version: '1' } },
    );
    api.put('gone', documentOf({ '/gone': { get: { summary: 'Get all' } } }), { available: false });
    const { url } = await ownServer(t, { requester: new FakeRequester(), api, auth });
    const browser = await chromium.launch(CHROMIUM);
    scope.after(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(`${url}/`);
    await operations(page);
    assert.equal(await page.title(), 'API');
    const gone = page.locator('.opblock', { hasText: '/gone' }).locator('.opblock-summary-description');
    assert.equal(await gone.innerText(), '⚠ no worker connected – Get all');
    await page.click('button.authorize');
    await page.fill('.auth-container input', KEY);
    await page.click('.auth-btn-wrapper button.authorize');
    await page.click('.auth-btn-wrapper button.btn-done');
    await page.reload();
    await operations(page);
    await page.waitForSelector('button.authorize.locked');
    const block = page.locator('.opblock', { hasText: '/here/' });
    await block.locator('.opblock-summary-control').click();
    await block.locator('.try-out__btn').click();
    const value = await block.locator('.parameters input').inputValue();
    assert.equal(value, '3fa85f64-5717-4562-b3fc-2c963f66afa6');
    const responses = await block.locator('.responses-table .response-col_status').allInnerTexts();
    assert.deepEqual(
      responses.map((text) => text.trim()).filter((text) => text !== 'Code'),
      ['200', 'default'],
    );
    const { height = Infinity } = (await block.boundingBox()) ?? {};
    assert.ok(height < 1600, `an operation with security has ${height} pixels`);
  });
});

describe('Swagger UI in front of real workers', { skip: WITHOUT_CHROMIUM }, () => {
  const scope = new Scope();
  after(() => scope.close());

  it('Swagger UI: after a reload, shows a worker that was started in the meantime, and its reply', async () => {
    const { url, backend } = await startSamples(scope);
    const browser = await chromium.launch(CHROMIUM);
    scope.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`${url}/docs/`);
    const before = await operations(page);
    assert.ok(before.includes('/tasks') && !before.includes('/squares/{n}'), before.join(' '));

    const contract = defineContract({
      name: 'squares',
      events: {
        'squares.get': {
          method: 'GET',
          path: '/squares/{n}',
          data: Joi.object({ n: Joi.number().integer().required().example(7) }),
        },
      },
    });
    const handlers = { 'squares.get': ({ n }: { n: number }) => ({ square: n * n }) };
    const worker = new ZeroMQWorker({ connection: backend, contract, handlers });
    scope.after(() => worker.stop());
    await untilJoined(() => worker.start());

    await page.reload();
    assert.deepEqual(new Set(await operations(page)), new Set([...before, '/squares/{n}']));
    const squares = page.locator('.opblock', { hasText: '/squares/{n}' });
    await squares.click();
    await squares.locator('.try-out__btn').click();
    await squares.locator('.parameters input').fill('12');
    await squares.locator('.execute').click();
    const reply = squares.locator('.live-responses-table .highlight-code code').first();
    assert.deepEqual(JSON.parse(await reply.innerText()), { square: 144 });
  });
});

async function operations(page: Page): Promise<string[]> {
  await page.waitForSelector('.opblock');
  const paths = await page.locator('.opblock-summary-path').allInnerTexts();
  return paths.map((path) => path.replaceAll('\u200b', ''));
}
