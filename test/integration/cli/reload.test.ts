// test:all: 15 s; ../../unit/cli represents it
/** SIGHUP and a saved configuration file change the settings of a running command. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { endpointIn, FREE_PORTS, startNode, urlIn } from '../../helpers/command.ts';
import { type Scope, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const INDEX = new URL('../../../dist/index.js', import.meta.url).href;
const ORIGIN = 'https://a.example';
const DOCUMENT = `
openapi: 3.1.0
info: { title: Hello, version: 1.0.0 }
paths: { /hello: { get: { x-event-name: hello, responses: { "200": { description: ok } } } } }
`;

/** A folder with a document, a worker, and a configuration file. */
function project(scope: Scope) {
  const cwd = tempFolder(scope);
  const file = (each: string, text: string): void => writeFileSync(path.join(cwd, each), text);
  mkdirSync(path.join(cwd, 'workers'));
  file('document.yaml', DOCUMENT);
  file(
    'workers/worker.mjs',
    `import { defineWorker } from ${JSON.stringify(INDEX)};
     export default defineWorker({ handlers: { hello: () => 'w' } });`,
  );
  const save = (command: string, settings: object): void =>
    file('zeromq-gateway.json', JSON.stringify({ [command]: settings }));
  return { cwd, file, save };
}

async function get(url: string) {
  const response = await fetch(url, { headers: { origin: ORIGIN, connection: 'close' } });
  const { status, headers } = response;
  return {
    status,
    limit: /r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1],
    cors: headers.get('access-control-allow-origin'),
    hook: headers.get('x-hook'),
    text: await response.text(),
  };
}

/** A router that holds requests until their worker has joined. */
const ROUTER = ['router', ...FREE_PORTS, '--startup-grace', '60000'];

const hook = (value: string): string =>
  `export default { onReply({ headers }) { headers['x-hook'] = '${value}'; } };`;

describe('reload', () => {
  it('reload: a saved file and SIGHUP apply to the next requests, all settings or none', async (t) => {
    const scope = scopeOf(t);
    const { cwd, file, save } = project(scope);
    file('hooks.mjs', hook('one'));
    const common = { workers: 'workers', hooks: ['hooks.mjs'], openapi: ['document.yaml'] };
    const http = (limit: number) => ({ rateLimits: [{ limit }], cors: { origins: [ORIGIN] } });
    save('up', { ...common, http: { rateLimits: [{ limit: 100 }] } });
    const args = ['up', '--admin', '127.0.0.1:0', '--port', '0', ...FREE_PORTS];
    const { node, line } = await startNode(scope, args, { cwd });
    const ask = async () => {
      const { status, limit, cors, hook: value } = await get(`${urlIn(line)}/hello`);
      return [status, limit, cors, value];
    };
    assert.deepEqual(await ask(), [200, '99', null, 'one']);
    save('up', { ...common, http: http(200) });
    await node.waitForError(/the configuration file has changed.*reloaded the settings/);
    assert.deepEqual(await ask(), [200, '199', ORIGIN, 'one']);

    save('up', { ...common, http: { ...http(300), rateLimits: [{ limit: -1 }] } });
    node.kill('SIGHUP');
    await node.waitForError(/cannot reload the settings: all of them stay as they were/);
    assert.deepEqual(await ask(), [200, '198', ORIGIN, 'one']);

    save('up', { ...common, http: { ...http(300), publicUrl: 'https://b.example' }, drain: 1 });
    node.kill('SIGHUP');
    await node.waitForError(/a change of drain needs a restart/);
    save('up', { ...common, http: { ...http(300), publicUrl: 'https://b.example' } });
    node.kill('SIGHUP');
    await node.waitForError(/a change of publicUrl needs a restart/);
    assert.deepEqual(await ask(), [200, '197', ORIGIN, 'one']);

    file('hooks.mjs', hook('two'));
    save('up', { ...common, http: http(200) });
    const before = node.stderr.length;
    node.kill('SIGHUP');
    await node.waitForError(/"settings":"none".*reloaded the settings/, undefined, before);
    assert.deepEqual(await ask(), [200, '196', ORIGIN, 'two']);

    const text = await (await fetch(`${endpointIn(line, 'admin')}/metrics`)).text();
    assert.match(text, /^zeromq_gateway_reloads_total\{what="settings",result="ok"\} [2-9]/m);
    assert.match(text, /^zeromq_gateway_reloads_total\{what="settings",result="failed"\} [3-9]/m);
  });

  it('reload: all processes of a gateway change, or none of them', async (t) => {
    const scope = scopeOf(t);
    const { cwd, file, save } = project(scope);
    file('hooks.mjs', hook('one'));
    save('gateway', { hooks: ['hooks.mjs'] });
    const args = ['gateway', '--processes', '2', '--admin', '127.0.0.1:0', '--port', '0'];
    const { node, line } = await startNode(scope, [...args, '--router', 'tcp://127.0.0.1:1'], { cwd });
    // Each connection goes to the next process.
    const ask = async () => {
      const url = `${urlIn(line)}/livez`;
      return new Set([(await get(url)).cors, (await get(url)).cors, (await get(url)).cors]);
    };
    assert.deepEqual(await ask(), new Set([null]));
    save('gateway', { hooks: ['hooks.mjs'], http: { cors: { origins: [ORIGIN] } } });
    node.kill('SIGHUP');
    await node.waitForError(/reloaded the settings/);
    assert.deepEqual(await ask(), new Set([ORIGIN]));

    file('hooks.mjs', 'export default {};');
    save('gateway', { hooks: ['hooks.mjs'] });
    node.kill('SIGHUP');
    await node.waitForError(/the default export has no hooks.*cannot reload the settings/);
    assert.deepEqual(await ask(), new Set([ORIGIN]));
    const text = await (await fetch(`${endpointIn(line, 'admin')}/metrics`)).text();
    assert.match(text, /^zeromq_gateway_reloads_total\{what="settings",result="ok"\} [2-9]/m);
    assert.match(text, /^zeromq_gateway_reloads_total\{what="settings",result="failed"\} [2-9]/m);
  });

  it('reload: a gateway and its workers move to another router', async (t) => {
    const scope = scopeOf(t);
    const { cwd, file } = project(scope);
    const routers = [await startNode(scope, ROUTER), await startNode(scope, ROUTER)];
    const [first, second] = routers.map(({ line }) => line);
    const saveBoth = (line = ''): void =>
      file(
        'zeromq-gateway.json',
        JSON.stringify({
          gateway: { router: [endpointIn(line, 'frontend')], openapi: ['document.yaml'] },
          worker: { router: [endpointIn(line, 'backend')] },
        }),
      );
    saveBoth(first);
    const worker = await startNode(scope, ['worker', 'workers/worker.mjs'], { cwd });
    const gateway = await startNode(scope, ['gateway', '--port', '0'], { cwd });
    const url = `${urlIn(gateway.line)}/hello`;
    assert.equal((await get(url)).text, '"w"');
    saveBoth(second);
    for (const { node } of [worker, gateway]) node.kill('SIGHUP');
    for (const { node } of [worker, gateway])
      await node.waitForError(/"settings":"router".*reloaded the settings/);
    routers[0]?.node.kill('SIGKILL');
    assert.equal((await get(url)).text, '"w"');
  });
});
