/**
 * `npx tsx scripts/docs-screenshots.ts`: takes screenshots of Swagger UI with the sample contracts
 * for docs/images/*.png. The environment variable CHROMIUM replaces the default browser
 * /usr/bin/chromium.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const IMAGES = path.join(ROOT, 'docs/images');
const ANY = 'tcp://127.0.0.1:0';
const KEY = 'not-so-secret-key';

/** A document whose single operation requires an API key, to show the *Authorize* button. */
const SECURED = `
openapi: 3.1.0
info: { title: Reports, version: 1.0.0 }
components: { securitySchemes: { key: { type: apiKey, in: header, name: X-API-Key } } }
paths:
  /reports:
    get:
      operationId: reports.list
      summary: List reports
      tags: [reports]
      security: [{ key: [] }]
      responses: { "200": { description: The reports. } }
`;

/** Starts `zeromq-gateway up` from dist/. Returns its URL and a function that stops it. */
async function start(folder: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const document = path.join(folder, 'reports.yaml');
  writeFileSync(document, SECURED);
  const auth = { schemes: { key: { type: 'apiKey', keys: [{ id: 'eva', key: KEY }] } } };
  const inventory = path.join(ROOT, 'openapi/inventory.yaml');
  const child = spawn(
    process.execPath,
    [
      ...[path.join(ROOT, 'dist/cli/main.js'), 'up', '--port', '0', '--log-level', 'error'],
      ...['--frontend', ANY, '--backend', ANY, '--heartbeat', ANY],
      ...['--openapi', inventory, '--openapi', document, '--http', JSON.stringify({ auth })],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ZMQ_GATEWAY_DATA: folder } },
  );
  const stop = async (): Promise<void> => {
    const exited = once(child, 'exit');
    child.kill();
    await exited;
  };
  for await (const line of createInterface(child.stdout)) {
    const url = /ready: (http:\/\/[^\s,]+)/.exec(line)?.[1];
    if (url !== undefined) return { url, stop };
  }
  throw new Error('the gateway did not start; run npm run build');
}

async function shoot(page: Page, name: string): Promise<void> {
  const file = path.join(IMAGES, `${name}.png`);
  await page.screenshot({ path: file, animations: 'disabled' });
  console.log(path.relative(ROOT, file));
}

async function shootAll(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/docs/`);
  await page.waitForSelector('.opblock');
  await shoot(page, 'swagger-ui');

  await page.click('button.authorize');
  await page.fill('.auth-container input', KEY);
  await shoot(page, 'swagger-ui-authorize');
  await page.click('.btn-done');

  const echo = page.locator('.opblock', { hasText: '/echo/{message}' }).first();
  await echo.click();
  await echo.locator('.try-out__btn').click();
  await echo.locator('.parameters input').fill('hello');
  await echo.locator('.execute').click();
  await echo.locator('.live-responses-table').waitFor();
  await echo.scrollIntoViewIfNeeded();
  await echo.evaluate((element) => element.scrollIntoView());
  await shoot(page, 'swagger-ui-try-it-out');
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'screenshots-'));
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
mkdirSync(IMAGES, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const { url, stop } = await start(folder);
  try {
    const page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
    await shootAll(page, url);
  } finally {
    await stop();
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
