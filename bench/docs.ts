/**
 * `npm run bench:docs -- FILE`: how long Swagger UI at `/docs` takes with an OpenAPI document, such as
 * that of GitHub. Opens the page in Chromium, then the tag with the most operations, then the first
 * of these. Prints the times of 5 runs and their medians; each run has a browser of its own.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { describeMachine } from './lib/machine.ts';
import { startProcess } from './lib/process.ts';
import { percentile } from './lib/stats.ts';

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const RUNS = 5;
const BROWSER = {
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-background-networking'],
};

/** Times in milliseconds since the page was requested. */
interface Times {
  readonly tags: number;
  readonly tag: number;
  readonly operation: number;
}

/** The tag of a document with the most operations. */
async function largestTag(url: string): Promise<string> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
  const counts = new Map<string, number>();
  for (const item of Object.values(document.paths)) {
    for (const { tags } of Object.values(item as Record<string, { tags?: string[] }>)) {
      for (const tag of tags ?? []) counts.set(tag, (counts.get(tag) ?? 0) + 1);
    }
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'default';
}

/** Opens a page, a tag and its first operation, and returns the times at which each was shown. */
async function visit(page: Page, url: string, name: string): Promise<Times> {
  const begin = performance.now();
  const shown = async (selector: string): Promise<number> => {
    await page.locator(selector).first().waitFor();
    return performance.now() - begin;
  };
  await page.goto(`${url}/docs/`);
  const tags = await shown('.opblock-tag');
  await page.locator(`.opblock-tag[data-tag="${name}"][data-is-open="false"]`).click();
  const tag = await shown('.opblock');
  await page.locator('.opblock-summary-control').first().click();
  const operation = await shown('.opblock-body .responses-table');
  return { tags, tag, operation };
}

async function measure(file: string): Promise<void> {
  const gateway = await startProcess({
    name: 'gateway',
    command: process.execPath,
    args: [
      MAIN,
      'gateway',
      '--port',
      '0',
      '--router',
      'tcp://127.0.0.1:9',
      '--openapi',
      path.resolve(file),
    ].concat(['--max-document', '100000000']),
    ready: /(http:\/\/[\d.]+:\d+)/,
  });
  try {
    const url = gateway.ready[1] ?? '';
    const tag = await largestTag(url);
    console.log(
      `| until the list of tags is shown | until the tag ${tag} is open | until its first operation is open |`,
    );
    const all: Times[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const browser = await chromium.launch(BROWSER);
      const page = await browser.newPage();
      page.setDefaultTimeout(300_000);
      all.push(await visit(page, url, tag));
      await browser.close();
      console.log(row(all.at(-1)));
    }
    const median = (of: keyof Times): number =>
      percentile(
        all.map((times) => times[of]),
        0.5,
      );
    console.log(
      `medians: ${row({ tags: median('tags'), tag: median('tag'), operation: median('operation') })}`,
    );
    const { cpu, cores, memory, os, node } = describeMachine('');
    console.log(`${cores} × ${cpu}, ${memory}, ${os}, Node.js ${node}`);
  } finally {
    await gateway.stop();
  }
}

function row(times: Times | undefined): string {
  return `| ${Object.values(times ?? {})
    .map((time: number) => `${(time / 1000).toFixed(2)} s`)
    .join(' | ')} |`;
}

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('name an OpenAPI document: npm run bench:docs -- FILE');
await measure(file);
