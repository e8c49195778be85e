/**
 * `npx tsx scripts/screenshots-dashboard.ts`: takes screenshots of the dashboard for docs/images.
 * It runs the built command under some load and needs Chromium at CHROMIUM or /usr/bin/chromium.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ANYWHERE = ['--frontend', '--backend', '--heartbeat'].flatMap((flag) => [flag, 'tcp://127.0.0.1:0']);
/** Duration of the load before the screenshot, in milliseconds. Rates have settled by then. */
const SETTLED = 6000;

const data = mkdtempSync(path.join(tmpdir(), 'zg-pictures-'));
const node = spawn(
  process.execPath,
  ['dist/cli/main.js', 'up', '--port', '0', '--admin', '127.0.0.1:0', '--threads', '2', ...ANYWHERE],
  { cwd: ROOT, env: { ...process.env, ZMQ_GATEWAY_DATA: data }, stdio: ['ignore', 'pipe', 'inherit'] },
);
try {
  const [line] = (await once(createInterface(node.stdout), 'line')) as [string];
  const [, url = ''] = /ready: (http\S+),/.exec(line) ?? [];
  const [, admin = ''] = /admin (http\S+)/.exec(line) ?? [];
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(admin);
  const until = Date.now() + SETTLED;
  for (let count = 0; Date.now() < until; count += 1) {
    const asked = [fetch(`${url}/echo/${count}`), fetch(`${url}/tasks`)];
    if (count % 50 === 0) asked.push(fetch(`${url}/tasks/4711`));
    await Promise.all(asked);
  }
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: path.join(ROOT, `docs/images/dashboard-${colorScheme}.png`) });
  }
  await browser.close();
} finally {
  node.kill('SIGTERM');
  await once(node, 'exit');
  rmSync(data, { recursive: true, force: true });
}
