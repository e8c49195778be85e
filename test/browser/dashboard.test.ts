// test:all: 40 s; streams.test.ts represents browsers
/**
 * The dashboard in a browser: figures follow real load, a killed worker turns red, and buttons have
 * their effect.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { CHROMIUM, WITHOUT_CHROMIUM } from '../helpers/chromium.ts';
import { endpointIn, FREE_PORTS, startNode, urlIn } from '../helpers/command.ts';
import { within } from '../helpers/eventually.ts';
import { allowed, PATIENCE } from '../helpers/patience.ts';
import type { RunningProcess } from '../helpers/processes.ts';
import { Scope } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

const ECHO = fileURLToPath(new URL('../../workers/echo.ts', import.meta.url));
describe('dashboard', { skip: WITHOUT_CHROMIUM }, () => {
  const scope = new Scope();
  let browser: Browser;
  let page: Page;
  let url: string;
  let admin: string;
  let worker: RunningProcess;
  const complaints: string[] = [];
  const hosts = new Set<string>();

  before(async () => {
    browser = await chromium.launch(CHROMIUM);
    scope.after(() => browser.close());
    const env = { ZMQ_GATEWAY_DATA: tempFolder(scope) };
    const args = [
      'up',
      '--port',
      '0',
      '--python',
      'off',
      ...FREE_PORTS,
      '--admin',
      '127.0.0.1:0',
      '--log-level',
      'error',
    ];
    const { line } = await startNode(scope, args, { env });
    url = urlIn(line);
    admin = endpointIn(line, 'admin');
    ({ node: worker } = await startNode(scope, ['worker', ECHO, '--router', endpointIn(line, 'backend')]));
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on('console', (entry) => {
      if (entry.type() === 'error' || entry.type() === 'warning') complaints.push(entry.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await page.goto(admin);
    await page.getByText('live', { exact: true }).waitFor();
  });
  after(() => scope.close());

  const text = (selector: string) => page.locator(selector).innerText();
  /**
   * Resolves when an expression is true in the page. It is evaluated after each change of the page.
   */
  const eventually = (script: string) =>
    within(
      page.evaluate(`new Promise((resolve) => {
        const observer = new MutationObserver(() => look());
        const look = () => {
          if (!(${script})) return;
          observer.disconnect();
          resolve(true);
        };
        observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
        look();
      })`),
      script,
    );

  it('dashboard: shows gateways, routers, workers and events', async () => {
    // The samples that `up` runs: clock, echo, files, reports and tasks; and the worker of the test.
    await eventually(`document.querySelectorAll('#workers > li').length === 6`);
    assert.match(await text('#gateways'), /gateway, process \d+/);
    assert.match(await text('#routers'), /running/);
    assert.match(await text('#workers'), /echo\.get, echo\.post/);
    assert.match(await text('#workers'), /echo\/echo\.ts@\S+#[\da-f]{8}/);
    const events = await page.locator('#events th').allInnerTexts();
    assert.ok(events.includes('echo.get') && events.includes('tasks.create'));
    assert.match(await text('#health'), /^ok$/);
    assert.match(await text('#contracts'), /served/);
  });

  it('dashboard: follows real load, and failures', async () => {
    let asking = true;
    const load = (async () => {
      while (asking) await fetch(`${url}/echo/hello`);
    })();
    const cell = (column: number) =>
      `Number.parseFloat([...document.querySelectorAll('#events tr')].find((row) => row.dataset.key === 'echo.get').children[${column + 1}].textContent)`;
    await eventually(`${cell(1)} > 5`);
    await eventually(`${cell(3)} > 0`);
    await eventually(`Number.parseFloat(document.querySelector('#total-requests-s dd').textContent) > 5`);
    asking = false;
    await load;
    await eventually(`${cell(1)} < 1`);
    await fetch(`${url}/tasks/4711`);
    await eventually(
      `document.querySelector('#failures').textContent.includes('tasks.get TASK_NOT_FOUND: ')`,
    );
  });

  it('dashboard: shows the open streams of a gateway, and no longer once they have ended', async () => {
    const abort = new AbortController();
    const response = await fetch(`${url}/clock/events`, { signal: abort.signal });
    assert.equal(response.status, 200);
    await eventually(`/, 1 stream$/m.test(document.querySelector('#gateways').innerText)`);
    abort.abort();
    await eventually(`!/stream/.test(document.querySelector('#gateways').innerText)`);
  });

  it('dashboard: drains and resumes a worker by keyboard', async () => {
    // Two workers serve its events, so no question is asked.
    const drain = page.getByRole('button', { name: /^Drain worker echo/ }).first();
    await drain.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^Resume worker/ }).waitFor();
    assert.equal(await page.locator('#workers > li[data-state=draining]').count(), 1);
    assert.match(
      await page.evaluate('document.activeElement.textContent'),
      /Resume/,
      'the focus stays on the button',
    );
    await page.keyboard.press('Enter');
    await eventually(`document.querySelectorAll('#workers > li[data-state=draining]').length === 0`);
  });

  it('dashboard: asks before it drains the only worker of an event', async () => {
    await page.getByRole('button', { name: /^Drain worker tasks/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Drain the only worker?' });
    await dialog.waitFor();
    assert.match(await dialog.innerText(), /No other worker serves tasks\.create, tasks\.delete, /);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await page.locator('#workers > li[data-state=draining]').count(), 0);
    await page.getByRole('button', { name: /^Drain worker tasks/ }).click();
    await dialog.getByRole('button', { name: 'Drain' }).click();
    await page.getByRole('button', { name: /^Resume worker tasks/ }).click();
    await eventually(`document.querySelectorAll('#workers > li[data-state=draining]').length === 0`);
  });

  it('dashboard: shows the last 15 minutes of all events and of one, also after a reload', async () => {
    const lines = `[...document.querySelectorAll('#charts figcaption')].map(({ textContent }) => textContent)`;
    await eventually(
      `${lines}.length === 4 && document.querySelectorAll('#history-event option').length > 1`,
    );
    await page.locator('#history-event').selectOption('echo.get');
    assert.match(
      (await page.evaluate<string[]>(lines)).join(),
      /requests\/s: .*duration: p50 .*, p99 .*failed: .*queued: 0/,
    );
    await page.reload();
    await eventually(`document.querySelectorAll('#history-event option').length > 1`);
    await eventually(`document.querySelector('#charts path').getAttribute('d') !== ''`);
  });

  it('dashboard: at 390 px, nothing is wider than the page', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    const wide = await page.evaluate<string[]>(`
      [...document.querySelectorAll('main *')]
        .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
        .map((node) => node.tagName + ' ' + node.textContent.slice(0, 40))`);
    await page.setViewportSize({ width: 1280, height: 720 });
    assert.deepEqual(wide, []);
  });

  it('dashboard: pauses an event, whose requests are queued until it resumes', async () => {
    await page.getByRole('button', { name: 'Pause event echo.get' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume event echo.get' }).waitFor();
    const asked = fetch(`${url}/echo/later`);
    await eventually(
      `[...document.querySelectorAll('#events tr')].find((row) => row.dataset.key === 'echo.get').textContent.includes('1 (paused)')`,
    );
    await page.getByRole('button', { name: 'Resume event echo.get' }).click();
    assert.deepEqual(await (await asked).json(), { message: 'later' });
  });

  it('dashboard: shows a contract', async () => {
    await page
      .getByRole('button', { name: /^Read contract/ })
      .first()
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    assert.match(await dialog.innerText(), /"x-event-name"/);
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  it('dashboard: turns a killed worker red within a second', async () => {
    await page.evaluate(`
      window.seen = new Promise((resolve) => {
        const look = () => { if (document.querySelector('#workers > li[data-state=departed]')) resolve(Date.now()); };
        new MutationObserver(look).observe(document.querySelector('#workers'), { subtree: true, childList: true, attributes: true });
      });
      undefined;
    `);
    const killed = Date.now();
    worker.kill('SIGKILL');
    const seen = await page.evaluate<number>('window.seen');
    assert.ok(seen - killed < allowed(1000), `it took ${seen - killed} ms`);
    const card = page.locator('#workers > li[data-state=departed]');
    assert.match(await card.innerText(), /departed: disconnected/);
    const colour = await page.evaluate(
      `getComputedStyle(document.querySelector('#workers > li[data-state=departed]')).borderTopColor`,
    );
    assert.equal(colour, 'rgb(179, 32, 29)');
  });

  it('dashboard: has landmarks, headings and accessible names, in light and dark mode', async () => {
    for (const role of ['banner', 'main'] as const) assert.equal(await page.getByRole(role).count(), 1, role);
    for (const name of ['Flow', 'Events', 'Recent errors', 'Contracts']) {
      assert.equal((await page.getByRole('region', { name, exact: true }).count()) > 0, true, name);
    }
    const nameless = await page.evaluate(
      `[...document.querySelectorAll('button, meter')].filter((one) => !one.hidden && !one.closest('dialog') && !one.getAttribute('aria-label') && !one.textContent).length`,
    );
    assert.equal(nameless, 0);
    const grounds = new Set<unknown>();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      grounds.add(await page.evaluate(`getComputedStyle(document.documentElement).backgroundColor`));
      const poor = await page.evaluate(CONTRAST);
      assert.deepEqual(poor, [], colorScheme);
    }
    assert.equal(grounds.size, 2);
  });

  it('dashboard: logs no errors and loads nothing from other hosts', () => {
    assert.deepEqual(complaints, []);
    assert.deepEqual([...hosts], [new URL(admin).host]);
  });
});

/** Texts with a contrast below 4.5 (WCAG AA). */
const CONTRAST = `(() => {
  const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const part = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('header *, main *')].filter((node) => {
    if (!node.offsetParent || ![...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())) return false;
    const [a, b] = [luminance(rgb(getComputedStyle(node).color)), luminance(ground(node))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
  }).map((node) => node.textContent.slice(0, 40));
})()`;
