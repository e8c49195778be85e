// test:all: 30 s; strategies.test.ts and test/interop represent it
/** One suite for the workers of both languages, and different Python workers behind one router. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ApiRegistry, contractChecker, createGateway } from '../../src/gateway/index.ts';
import { writeKeyFiles } from '../../src/index.ts';
import { NEEDS_CLASSIC, PYTHON } from '../helpers/classic.ts';
import { startCommand } from '../helpers/command.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { startProcess } from '../helpers/processes.ts';
import { Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { SERVER, WORKER } from '../integration/curve-nodes.ts';
import { connectClient, nextEvent, startRouter } from '../integration/framework.ts';
import { workerConformance } from './workers.ts';

failOnLeftovers();

const HERE = import.meta.dirname;

function startPython(scope: Scope, script: string, args: readonly string[]) {
  const env = { PYTHONDONTWRITEBYTECODE: '1', ZMQ_GATEWAY_DATA: tempFolder(scope) };
  return startProcess(scope, PYTHON ?? '', [script, ...args], { env });
}

function curveFiles(scope: Scope) {
  const file = join(tempFolder(scope), 'worker.key');
  writeKeyFiles(file, WORKER);
  return { file, serverKey: SERVER.publicKey };
}

workerConformance(
  'TypeScript',
  (scope, args) => startCommand(scope, ['worker', join(HERE, 'worker.ts'), ...args]),
  curveFiles,
);

workerConformance(
  'Python',
  (scope, args) => startPython(scope, join(HERE, 'worker.py'), args),
  curveFiles,
  NEEDS_CLASSIC,
);

describe('Python workers behind one router', NEEDS_CLASSIC, () => {
  it('each receives the events that it announced', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startRouter(scope);
    for (const script of [join(HERE, 'worker.py'), join(HERE, '../../workers/python/inventory.py')]) {
      const joined = nextEvent(router, 'workerJoined');
      startPython(scope, script, ['--router', backend]);
      await joined;
    }
    const client = await connectClient(scope, frontend);
    for (let round = 0; round < 3; round += 1) {
      const [sum, item] = await Promise.all([
        client.sendMessage('math.add', { a: 1, b: round }),
        client.sendMessage('inventory.get', { sku: 'bolt-m6' }),
      ]);
      assert.deepEqual(sum.eventData, { sum: 1 + round });
      assert.deepEqual(item.eventData, { sku: 'bolt-m6', quantity: 1200 });
    }
  });

  it('versions of one contract share the requests by weight, and callers choose by header', async (t) => {
    const scope = scopeOf(t);
    const registry = new ApiRegistry();
    const { router, backend } = await startRouter(scope, 'tcp', {
      contractChecker: contractChecker(registry),
    });
    for (const options of [['1.0.0'], ['2.0.0', '0']]) {
      const joined = nextEvent(router, 'workerJoined');
      startPython(scope, join(HERE, 'versioned.py'), [backend, ...options]);
      await joined;
    }
    const gateway = createGateway({ requester: router, api: registry, port: 0 });
    scope.after(() => gateway.close({ deadline: 0 }));
    const { url } = await gateway.listen();
    const served = async (headers: Record<string, string>): Promise<unknown> =>
      (await fetch(`${url}/price`, { headers })).json();
    for (let round = 0; round < 5; round += 1) assert.equal(await served({}), '1.0.0');
    assert.equal(await served({ 'X-Version': '2.0.0' }), '2.0.0');
    assert.equal(await served({ 'X-Version': '1.0.0' }), '1.0.0');
  });
});

describe('Files in a Python worker', NEEDS_CLASSIC, () => {
  const PICTURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x00, 0xff, 0x0a, 0x0d]);
  const scope = new Scope();
  let url: string;

  before(async () => {
    const registry = new ApiRegistry();
    const { router, backend } = await startRouter(scope, 'tcp', {
      contractChecker: contractChecker(registry),
    });
    const joined = nextEvent(router, 'workerJoined');
    startPython(scope, join(HERE, '../../workers/python/inventory.py'), ['--router', backend]);
    await joined;
    const gateway = createGateway({ requester: router, api: registry, port: 0 });
    scope.after(() => gateway.close({ deadline: 0 }));
    ({ url } = await gateway.listen());
  });
  after(() => scope.close());

  async function put(photo: Blob | undefined): Promise<{ status: number; body: unknown }> {
    const form = new FormData();
    if (photo !== undefined) form.append('photo', photo, 'bolt.png');
    const response = await fetch(`${url}/inventory/bolt-m6/photo`, { method: 'PUT', body: form });
    return { status: response.status, body: await response.json() };
  }

  it('are received from a form, and sent as bytes', async () => {
    const photo = `${url}/inventory/bolt-m6/photo`;
    assert.equal((await fetch(photo)).status, 404);
    assert.deepEqual(await put(new Blob([PICTURE], { type: 'image/png' })), {
      status: 200,
      body: { filename: 'bolt.png', contentType: 'image/png', bytes: 8 },
    });
    const response = await fetch(photo);
    assert.equal(response.headers.get('content-type'), 'image/png');
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), PICTURE);
  });

  it('may be missing, too large, or of another type', async () => {
    const codes = [];
    for (const photo of [
      undefined,
      new Blob([Buffer.alloc(500_001)], { type: 'image/png' }),
      new Blob(['text'], { type: 'text/plain' }),
    ]) {
      const { status, body } = await put(photo);
      codes.push([status, (body as { code: string }).code]);
    }
    assert.deepEqual(codes, [
      [400, 'INVALID_REQUEST'],
      [400, 'INVALID_REQUEST'],
      [415, 'NOT_A_PICTURE'],
    ]);
  });
});

describe('zeromq_gateway.py', NEEDS_CLASSIC, () => {
  it('zeromq_gateway.py: converts type hints to JSON Schema, and checked data to types', async (t) => {
    const script = startPython(scopeOf(t), join(HERE, 'python_types.py'), []);
    assert.equal((await script.exited).code, 0, script.stderr);
    assert.deepEqual(script.lines, ['passed']);
  });
});
