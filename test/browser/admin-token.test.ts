// test:all: 10 s; streams.test.ts represents browsers
/**
 * The dashboard of a listener with a token, in a browser: it asks for the token, reports a wrong
 * one, and opens with the right one.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { CHROMIUM, WITHOUT_CHROMIUM } from '../helpers/chromium.ts';
import { endpointIn, FREE_PORTS, startNode } from '../helpers/command.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { Scope } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

const TOKEN = 'a-token-of-some-length';

describe('dashboard with a token', { skip: WITHOUT_CHROMIUM }, () => {
  const scope = new Scope();
  let browser: Browser;
  let page: Page;
  let admin: string;

  before(async () => {
    browser = await chromium.launch(CHROMIUM);
    scope.after(() => browser.close());
    const file = path.join(tempFolder(scope), 'token');
    writeFileSync(file, `${TOKEN}\n`);
    const listener = ['--admin', '127.0.0.1:0', '--admin-token-file', file];
    const { line } = await startNode(scope, ['router', ...FREE_PORTS, ...listener]);
    admin = endpointIn(line, 'admin');
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.goto(admin);
  });
  after(() => scope.close());

  const dialog = () => page.getByRole('dialog', { name: 'Token' });
  const field = () => dialog().getByLabel('Token of --admin-token-file');

  async function give(token: string): Promise<void> {
    await field().fill(token);
    await page.keyboard.press('Enter');
  }

  it('dashboard with a token: asks for it, and shows nothing without it', async () => {
    await dialog().getByText('Send the token of --admin-token-file').waitFor();
    assert.equal(await page.locator('#routers > li').count(), 0);
    assert.match(await page.locator('#connection').innerText(), /^not allowed/);
    assert.equal(
      await page.evaluate('document.activeElement.id'),
      'token',
      'the focus is on the token field',
    );
  });

  it('dashboard with a token: rejects characters that a token cannot have', async () => {
    await give('a token – with spaces');
    assert.equal(await page.evaluate(`document.querySelector('#token').validity.patternMismatch`), true);
    assert.equal(await dialog().isVisible(), true);
  });

  it('dashboard with a token: reports a wrong one, and asks again', async () => {
    await give('a-wrong-token-of-some-length');
    await dialog().getByText('The token differs').waitFor();
    assert.equal(await field().inputValue(), '');
    assert.equal(await page.locator('#routers > li').count(), 0);
  });

  it('dashboard with a token: opens with the right one, which is valid in this tab only', async () => {
    await give(` ${TOKEN} `);
    await page.getByText('live', { exact: true }).waitFor();
    await page.locator('#routers > li').waitFor();
    assert.equal(await dialog().count(), 0);
    await page.reload();
    await page.locator('#routers > li').waitFor();
    assert.equal(await dialog().count(), 0);
    assert.ok(!page.url().includes(TOKEN), 'no address contains the token');
    const other = await browser.newPage();
    await other.goto(admin);
    await other.getByRole('dialog', { name: 'Token' }).waitFor();
  });
});
