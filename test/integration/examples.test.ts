// test:all: 15 s; sample-rest.test.ts represents it
/** Every folder under examples/ that needs nothing but the project runs as its README says. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../docs/pages.ts';
import { NEEDS_CLASSIC, PYTHON } from '../helpers/classic.ts';
import { endpointIn, FREE_PORTS, startNode, urlIn } from '../helpers/command.ts';
import { DnsServer, type Zone } from '../helpers/dns-server.ts';
import { within } from '../helpers/eventually.ts';
import { startProcess } from '../helpers/processes.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { TYPESCRIPT } from '../helpers/typescript.ts';
import { startRouter } from './framework.ts';

const EXAMPLES = path.join(ROOT, 'examples');

/** Examples with a test of their own. */
const ELSEWHERE = ['tracing'];

function startExample(scope: Scope, file: string, env: NodeJS.ProcessEnv = {}, args: readonly string[] = []) {
  return startProcess(scope, process.execPath, [...TYPESCRIPT, path.join(EXAMPLES, file), ...args], {
    cwd: ROOT,
    env,
  });
}

async function postText(url: string, text: unknown): Promise<Response> {
  return fetch(`${url}/texts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text }),
  });
}

describe('examples', () => {
  it('example express-app: one app serves its own pages and those of workers', async (t) => {
    const app = startExample(scopeOf(t), 'express-app/app.ts', { PORT: '0' });
    const url = urlIn(await app.waitForLine(/^ready: /));
    assert.equal(await (await fetch(url)).text(), 'my own page\n');
    assert.deepEqual(await (await fetch(`${url}/api/echo/hi`)).json(), { message: 'hi' });
    const missing = await fetch(`${url}/api/nowhere`);
    assert.deepEqual([missing.status, await missing.text()], [404, 'my own 404\n']);
    app.kill('SIGTERM');
    assert.equal((await app.exited).code, 0, app.stderr);
  });

  it('example many-routers: a router stops, and every request is answered', async (t) => {
    const example = startExample(scopeOf(t), 'many-routers/failover.ts');
    const { code } = await within(example.exited, 'the end of the example');
    assert.equal(code, 0, example.stderr);
    assert.deepEqual(example.lines, [
      'two routers: 100 of 100 answered',
      'one stops meanwhile: 100 of 100 answered',
      'one router: 100 of 100 answered',
    ]);
  });

  it('example many-routers: routers are found by a DNS name, including one that joins later', async (t) => {
    const scope = scopeOf(t);
    const routers = [await startRouter(scope), await startRouter(scope)];
    const portOf = (endpoint: string) => Number(new URL(endpoint).port);
    const zoneOf = (known: typeof routers): Zone => {
      const at = (endpoint: string) => ({ name: 'host.test', port: portOf(endpoint) });
      const services = {
        '_front._tcp.test': known.map(({ frontend }) => at(frontend)),
        '_back._tcp.test': known.map(({ backend }) => at(backend)),
      };
      return { hosts: { 'host.test': ['127.0.0.1'] }, services };
    };
    const dns = await DnsServer.start(scope, zoneOf(routers.slice(0, 1)));
    const names = ['_front._tcp.test', '_back._tcp.test'].map((name) => `dns://${dns.address}/${name}`);
    const example = startExample(scope, 'many-routers/by-name.ts', {}, names);
    await example.waitForLine(/^router 1 is there: 100 of 100 answered$/);
    assert.equal(routers[0]?.router.stats().ok, 100);
    dns.zone = zoneOf(routers);
    await example.waitForLine(/^router 2 is there: 100 of 100 answered$/);
    assert.equal(routers[1]?.router.stats().workers, 1);
    example.kill('SIGTERM');
    assert.equal((await example.exited).code, 0, example.stderr);
  });

  it('example curve: a client without a known key is rejected', async (t) => {
    const example = startExample(scopeOf(t), 'curve/private.ts');
    const { code } = await within(example.exited, 'the end of the example');
    assert.equal(code, 0, example.stderr);
    assert.deepEqual(example.lines, ['client: for permitted clients', 'stranger: NO_ROUTER']);
  });

  it(
    'example python-fleet: workers take turns, one is killed, and invalid input reaches none',
    NEEDS_CLASSIC,
    async (t) => {
      const scope = scopeOf(t);
      const router = await startNode(scope, ['router', ...FREE_PORTS]);
      const fleet = [1, 2, 3].map(() => {
        const worker = path.join(EXAMPLES, 'python-fleet/worker.py');
        return startProcess(scope, PYTHON ?? '', [worker, endpointIn(router.line, 'backend')]);
      });
      await Promise.all(fleet.map((worker) => worker.waitForLine(/^ready$/)));
      const document = path.join(EXAMPLES, 'python-fleet/texts.yaml');
      const frontend = endpointIn(router.line, 'frontend');
      const gateway = await startNode(scope, [
        'gateway',
        '--router',
        frontend,
        '--port',
        '0',
        '--openapi',
        document,
      ]);
      const url = urlIn(gateway.line);

      const ask = async () => {
        const replies = Array.from({ length: 30 }, async () => {
          const response = await postText(url, 'two words');
          assert.equal(response.status, 200);
          return (await response.json()) as { words: number; letters: number; worker: number };
        });
        return Promise.all(replies);
      };
      const replies = await ask();
      assert.ok(replies.every(({ words, letters }) => words === 2 && letters === 9));
      assert.deepEqual(new Set(replies.map(({ worker }) => worker)), new Set(fleet.map(({ pid }) => pid)));

      const [killed] = fleet;
      const meanwhile = ask();
      killed?.kill('SIGKILL');
      assert.equal((await meanwhile).length, 30);
      assert.ok((await ask()).every(({ worker }) => worker !== killed?.pid));
      assert.equal((await postText(url, 7)).status, 400);
    },
  );

  it('are all here', () => {
    const folders = readdirSync(EXAMPLES, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !ELSEWHERE.includes(entry.name))
      .map(({ name }) => name);
    assert.deepEqual(folders.sort(), ['curve', 'express-app', 'many-routers', 'python-fleet']);
  });
});
