// test:all: 10 s; docs-streams.test.ts represents it
/** Swagger UI in a browser with a document of the size of GitHub's: 1,223 operations, 8 MB. */
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { CHROMIUM, WITHOUT_CHROMIUM } from '../helpers/chromium.ts';
import { apiOf, jsonBody, parameter } from '../helpers/gateway/api.ts';
import { ownServer } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';
import { allowed, PATIENCE } from '../helpers/patience.ts';

const OPERATIONS = 1223;
const TAGS = 45;
const KEY = 'a-very-secret-key';
const PATH = '/things-52/{id}';

const text = { type: 'string', description: 'A text that describes itself at some length. '.repeat(2) };
const things = (n: number) => ({ $ref: `#/components/schemas/Thing${n}` });
const schemaOf = (n: number) => ({
  type: 'object',
  properties: {
    parent: things(n),
    ...Object.fromEntries(Array.from({ length: 30 }, (_, field) => [`field_${n}_${field}`, text])),
  },
});
const schemas = Object.fromEntries(Array.from({ length: OPERATIONS }, (_, n) => [`Thing${n}`, schemaOf(n)]));
const id = parameter('id', 'path', { type: 'string', format: 'uuid' });
const paths = Object.fromEntries(
  Array.from({ length: OPERATIONS }, (_, n) => {
    const post = {
      operationId: `things/change-${n}`,
      tags: [`tag-${n % TAGS}`],
      summary: `Change thing ${n}`,
      description: 'Changes a thing. '.repeat(20),
      parameters: [id],
      security: [{ key: [] }],
      ...jsonBody(things(n)),
      responses: {
        200: { description: 'The thing', content: { 'application/json': { schema: things(n) } } },
      },
    };
    return [`/things-${n}/{id}`, { post }];
  }),
);
const securitySchemes = { key: { type: 'apiKey', in: 'header', name: 'X-API-Key' } };
const auth = { schemes: { key: { type: 'apiKey', keys: [{ id: 'eva', key: KEY }] } as const } };

describe('Swagger UI: large documents', { skip: WITHOUT_CHROMIUM }, () => {
  const api = apiOf(paths, { schemas, securitySchemes });
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch(CHROMIUM);
  });
  after(() => browser.close());

  const open = async (t: TestContext) => {
    const requester = new FakeRequester();
    const { url } = await ownServer(t, { requester, api, auth });
    const page = await browser.newPage();
    t.after(() => page.close());
    page.setDefaultTimeout(PATIENCE);
    const loaded: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => loaded.push(request.url().slice(url.length)));
    page.on('console', (entry) => {
      if (entry.type() === 'error') complaints.push(entry.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    return { requester, url, page, loaded, complaints };
  };
  const blockOf = (page: Page): Locator =>
    page.locator('.opblock', { has: page.locator(`[data-path="${PATH}"]`) });

  it('Swagger UI: 1,223 operations are usable within 5 s; each is loaded when it is opened', async (t) => {
    const { url, page, loaded, complaints } = await open(t);
    const began = performance.now();
    await page.goto(`${url}/docs/`);
    await page.locator('.opblock-tag').first().waitFor();
    assert.deepEqual(
      [await page.locator('.opblock-tag').count(), await page.locator('.opblock').count()],
      [TAGS, 0],
    );
    await page.locator('#operations-tag-tag-7').click();
    const block = blockOf(page);
    await block.locator('.opblock-summary-control').click();
    await block.locator('.parameters input').first().waitFor({ state: 'attached' });
    await block.getByText('field_52_29').first().waitFor();
    const took = performance.now() - began;
    t.diagnostic(`usable after ${Math.round(took)} ms`);
    assert.ok(took < allowed(5000), `usable after ${Math.round(took)} ms`);
    assert.equal(await page.locator('.opblock').count(), Math.ceil((OPERATIONS - 7) / TAGS));
    const documents = loaded.filter((path) => path.includes('.json'));
    const query = new URLSearchParams({ section: 'paths', name: PATH, method: 'post' });
    assert.deepEqual(documents, ['/docs/document.json', `/docs/operation.json?${query.toString()}`]);
    assert.match(
      await page.locator('.index-note').innerText(),
      /^This document is large: an operation and its schemas/,
    );
    assert.match(await page.locator('.info a.link').first().innerText(), /\/openapi\.json$/);
    assert.deepEqual(complaints, []);
  });

  it('Swagger UI: an operation of a large document has an address, credentials and "Try it out"', async (t) => {
    const { requester, url, page, complaints } = await open(t);
    await page.goto(`${url}/docs/#/tag-7/things%2Fchange-52`);
    await page.click('button.authorize');
    await page.fill('.auth-container input', KEY);
    await page.click('.auth-btn-wrapper button.authorize');
    await page.reload();
    const block = blockOf(page);
    await block.locator('.try-out__btn').click();
    assert.equal(
      await block.locator('.parameters input').first().inputValue(),
      '3fa85f64-5717-4562-b3fc-2c963f66afa6',
    );
    await block.locator('textarea').fill('{"field_52_0":"changed"}');
    await block.locator('.execute').click();
    await block.locator('.live-responses-table .highlight-code code').first().waitFor();
    assert.equal(requester.requests.at(-1)?.extras?.caller?.id, 'eva');
    assert.deepEqual(requester.data, { id: '3fa85f64-5717-4562-b3fc-2c963f66afa6', field_52_0: 'changed' });
    assert.deepEqual(complaints, []);
  });

  it('Swagger UI: a large document has a filter by tag and path, and marks operations without a worker', async (t) => {
    const { url, page } = await open(t);
    api.setAvailable('test', false);
    t.after(() => api.setAvailable('test', true));
    await page.goto(`${url}/docs/`);
    await page.fill('.operation-filter-input', 'things-52/');
    await page.locator('.opblock-tag').nth(1).waitFor({ state: 'detached' });
    await page.locator('.opblock-tag').click();
    const summary = blockOf(page).locator('.opblock-summary-description');
    assert.equal(await summary.innerText(), '⚠ no worker connected – Change thing 52');
    assert.equal(await page.locator('.opblock').count(), 1);
  });

  it('Swagger UI: an operation that has left the document since the page was loaded says so', async (t) => {
    const { url, page } = await open(t);
    await page.route('**/operation.json?*', (route) => route.fulfill({ status: 404 }));
    await page.goto(`${url}/docs/#/tag-7/things%2Fchange-52`);
    await blockOf(page).getByText('Cannot load this operation: the gateway responds with 404.').waitFor();
  });
});
