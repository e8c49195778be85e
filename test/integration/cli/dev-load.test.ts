// test:all: 30 s; dev.test.ts represents it
/** `zeromq-gateway dev`: saves under load lose no request. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { withResolvers } from '../../../src/core/collections/deferred.ts';
import { DevProject, workerText } from '../../helpers/dev-project.ts';
import { scopeOf } from '../../helpers/scope.ts';

/** Requests in flight at a time. */
const PARALLEL = 24;

/** A reply, and what was served when its request was sent. */
interface Outcome {
  readonly status: number;
  readonly version: unknown;
}

/** Sends requests one after the other on several connections until it is stopped. */
class SteadyLoad {
  readonly outcomes: Outcome[] = [];
  private stopped = false;
  private readonly done: Promise<unknown>;

  constructor(
    private readonly project: DevProject,
    private readonly route: () => string,
  ) {
    this.done = Promise.all(Array.from({ length: PARALLEL }, () => this.send()));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.done;
  }

  private async send(): Promise<void> {
    while (!this.stopped) {
      const { status, body } = await this.project
        .get(this.route())
        .catch((error: unknown) => ({ status: 0, body: { v: String(error) } }));
      const failure = status === 200 ? undefined : JSON.stringify(body);
      this.outcomes.push({ status, version: failure ?? (body as { v: unknown }).v });
    }
  }
}

/** A handler that takes 20 ms, so that requests are in flight at each save. */
const slow = (version: number): string =>
  `await new Promise((resolve) => setTimeout(resolve, 20, { v: ${version}, id }))`;

function assertAllAnswered({ outcomes }: SteadyLoad, versions: readonly number[]): void {
  const failed = outcomes.filter(({ status }) => status !== 200);
  assert.deepEqual(failed, [], `${failed.length} of ${outcomes.length} requests failed`);
  assert.deepEqual([...new Set(outcomes.map(({ version }) => version))], versions);
}

describe('dev under load', () => {
  it('loses no request when handlers are saved, with requests in flight and queued', async (t) => {
    const versions = [1, 2, 3, 4, 5, 6];
    const project = new DevProject(scopeOf(t), { 'workers/shop.ts': workerText('shop', slow(1)) });
    await project.start(['--concurrency', '2', '--threads', '2', '--timeout', '30000']);
    const load = new SteadyLoad(project, () => '/shop/1');
    for (const version of versions.slice(1)) {
      await project.save('workers/shop.ts', workerText('shop', slow(version)), /^reloaded .*$/m);
      const { length } = load.outcomes;
      while (!load.outcomes.slice(length).some((outcome) => outcome.version === version)) {
        await project.get('/shop/1');
      }
    }
    await load.stop();
    assertAllAnswered(load, versions);
    assert.ok(load.outcomes.length > 100, `${load.outcomes.length} requests`);
  });

  it('loses no request when a contract changes incompatibly, is renamed, and when its file is renamed', async (t) => {
    const contract = (version: number, name: string, event: string, data = 'id: Joi.string().required()') =>
      workerText(name, slow(version), { path: '/shop/{id}', event, data });
    const project = new DevProject(scopeOf(t), {
      'workers/shop.ts': contract(1, 'shop', 'shop.get'),
    });
    await project.start(['--timeout', '30000']);
    const load = new SteadyLoad(project, () => '/shop/1');
    // Another event, narrower data, and another name of the contract.
    await project.save('workers/shop.ts', contract(2, 'shop', 'shop.read'), /^reloaded .*$/m);
    const narrow = 'id: Joi.string().max(10).required()';
    await project.save('workers/shop.ts', contract(3, 'shop', 'shop.read', narrow), /^reloaded .*$/m);
    await project.save('workers/shop.ts', contract(4, 'store', 'store.read'), /^reloaded .*$/m);
    await project.after(() => {
      project.write('workers/store.ts', contract(5, 'store', 'store.read'));
      project.remove('workers/shop.ts');
    }, /^removed workers\/shop\.ts$/m);
    const { length } = load.outcomes;
    while (!load.outcomes.slice(length).some(({ version }) => version === 5)) await project.get('/shop/1');
    await load.stop();
    assertAllAnswered(load, [1, 2, 3, 4, 5]);
    assert.deepEqual(await project.paths(), ['/shop/{id}']);
  });

  it('finishes a request that is in flight longer than the next version takes to load', async (t) => {
    const scope = scopeOf(t);
    let release: (() => void) | undefined;
    const waiting = withResolvers<undefined>();
    const gate = createServer((_, response) => {
      release = () => void response.end();
      waiting.resolve(undefined);
    });
    scope.after(() => void gate.close());
    await once(gate.listen(0, '127.0.0.1'), 'listening');
    const { port } = gate.address() as AddressInfo;
    const project = new DevProject(scope, {
      'workers/shop.ts': workerText('shop', `(await fetch('http://127.0.0.1:${port}'), { v: 1, id })`),
    });
    await project.start();
    const first = project.get('/shop/1');
    await waiting.promise;
    await project.save('workers/shop.ts', workerText('shop', '{ v: 2, id }'));
    assert.deepEqual((await project.get('/shop/1')).body, { v: 2, id: '1' });
    release?.();
    assert.deepEqual((await first).body, { v: 1, id: '1' });
  });
});
