// test:all: 25 s; streams.test.ts represents browsers
/**
 * The dashboard of a gateway in a browser: the routers that it is connected to, with their
 * controls, and a router that cannot be reached.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { CHROMIUM, WITHOUT_CHROMIUM } from '../helpers/chromium.ts';
import { endpointIn, FREE_PORTS, startNode } from '../helpers/command.ts';
import { PATIENCE } from '../helpers/patience.ts';
import type { RunningProcess } from '../helpers/processes.ts';
import { Scope } from '../helpers/scope.ts';

const ECHO = fileURLToPath(new URL('../../workers/echo.ts', import.meta.url));
const AWAY = 'tcp://127.0.0.1:1';

describe('dashboard of a gateway', { skip: WITHOUT_CHROMIUM }, () => {
  const scope = new Scope();
  let browser: Browser;
  let page: Page;
  let worker: RunningProcess;
  const complaints: string[] = [];

  before(async () => {
    browser = await chromium.launch(CHROMIUM);
    scope.after(() => browser.close());
    const router = await startNode(scope, ['router', ...FREE_PORTS]);
    const backend = endpointIn(router.line, 'backend');
    ({ node: worker } = await startNode(scope, ['worker', ECHO, '--router', backend]));
    const routers = [endpointIn(router.line, 'frontend'), AWAY].flatMap((place) => ['--router', place]);
    const gateway = ['gateway', ...routers, '--port', '0', '--admin', '127.0.0.1:0', '--processes', '2'];
    const { line } = await startNode(scope, gateway);
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (entry) => {
      if (entry.type() === 'error') complaints.push(entry.text());
    });
    await page.goto(endpointIn(line, 'admin'));
    await page.getByText('live', { exact: true }).waitFor();
  });
  after(() => scope.close());

  it('dashboard of a gateway: shows processes and routers, and why a router is missing', async () => {
    await page.locator('#workers > li[data-state=ready]').waitFor();
    await page.locator('#routers > li[data-state=ready]').waitFor();
    assert.equal(await page.locator('#gateways > li', { hasText: 'gateway, process' }).count(), 2);
    const away = await page.locator('#routers > li[data-state=unseen]').innerText();
    assert.match(
      away,
      /router tcp:\/\/127\.0\.0\.1:1\s+not reported\s+[A-Z_]+: .* see its own admin listener/,
    );
  });

  it('dashboard of a gateway: drains a worker, pauses an event and shows a contract', async () => {
    const confirm = (verb: string) => page.getByRole('dialog').getByRole('button', { name: verb }).click();
    await page.getByRole('button', { name: /^Drain worker/ }).click();
    await confirm('Drain');
    await page.locator('#workers > li[data-state=draining]').waitFor();
    await page.getByRole('button', { name: /^Resume worker/ }).click();
    await page.locator('#workers > li[data-state=ready]').waitFor();
    await page.getByRole('button', { name: 'Pause event echo.get' }).click();
    await confirm('Pause');
    await page.getByRole('button', { name: 'Resume event echo.get' }).click();
    await page.getByRole('button', { name: 'Pause event echo.get' }).waitFor();
    await page.getByRole('button', { name: 'Read contract echo' }).click();
    const dialog = page.getByRole('dialog');
    assert.match(await dialog.innerText(), /"x-event-name": "echo\.get"/);
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  it('dashboard of a gateway: turns a killed worker red, and logs no errors', async () => {
    worker.kill('SIGKILL');
    const departed = page.locator('#workers > li[data-state=departed]');
    await departed.waitFor();
    assert.match(await departed.innerText(), /departed: no longer known to the router/);
    assert.deepEqual(complaints, []);
  });
});
