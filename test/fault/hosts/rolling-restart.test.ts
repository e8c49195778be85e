// test:all: 20 s, as root; ../router-restarted.test.ts represents it
/**
 * Every worker, then every router, then every gateway is restarted under constant load, and callers
 * do not notice.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../scripts/lib/ports.ts';
import { check, outcomesOf } from '../../../soak/lib/checker.ts';
import { Log, readLogs } from '../../../soak/lib/log.ts';
import type { RouterReport } from '../../../src/core/observability/reports.ts';
import { startNode, urlIn } from '../../helpers/command.ts';
import { Load } from '../../helpers/load.ts';
import { LOGGING_DOCUMENT, LOGGING_WORKER } from '../../helpers/logging-worker.ts';
import { PATIENCE } from '../../helpers/patience.ts';
import type { RunningProcess } from '../../helpers/processes.ts';
import { type Scope, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { connectClient } from '../../integration/framework.ts';

const WORKERS = 3;
const ROUTERS = 2;
const GATEWAYS = 2;

/** Maximum time in ms for a restart and its effects. */
const TEST_TIMEOUT = 4 * PATIENCE;
/** Time between two looks at who uses a router, in ms. It reports no event for that. */
const CHECK_INTERVAL = 100;

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Resolves when all gateways and workers use a router. Others must not be stopped before. */
async function untilReached(scope: Scope, frontend: string): Promise<void> {
  const client = await connectClient(scope, frontend, { timeout: PATIENCE });
  for (;;) {
    const { eventData } = await client.sendMessage('$router.info');
    const { totals, workers } = eventData as RouterReport;
    // This client is one of them.
    if (totals.clients > GATEWAYS && workers.length === WORKERS) return;
    await sleep(CHECK_INTERVAL);
  }
}

describe('rolling restart', { timeout: TEST_TIMEOUT }, () => {
  it('rolling restart: no idempotent request fails, and no other request runs twice', async (t) => {
    const scope = scopeOf(t);
    const folder = tempFolder(scope);
    const file = (name: string, text: string): string => {
      writeFileSync(path.join(folder, name), text);
      return path.join(folder, name);
    };
    const worker = file('worker.mjs', LOGGING_WORKER);
    const document = file('document.yaml', LOGGING_DOCUMENT);
    const log = new Log(folder, 'callers');
    scope.after(() => log.close());
    const env = { CHECKER_LOG: folder };
    const ports = await Promise.all(
      times(3 * ROUTERS + GATEWAYS, async () => `tcp://127.0.0.1:${await freePort()}`),
    );
    const routers = times(ROUTERS, (n) => ports.slice(3 * n, 3 * n + 3));
    const all = (flag: string, which: number) => routers.flatMap((router) => [flag, router[which] ?? '']);
    const commands = {
      router: ([frontend = '', backend = '', heartbeat = '']: string[]) => [
        ...['router', '--frontend', frontend, '--backend', backend, '--heartbeat', heartbeat],
      ],
      worker: ['worker', worker, ...all('--router', 1), ...all('--heartbeat', 2)],
      gateway: (port: string) => [
        ...['gateway', ...all('--router', 0), '--openapi', document, '--timeout', '15000', '--port', port],
      ],
    };
    const start = (args: string[]) => startNode(scope, args, { env });
    const restart = async (node: RunningProcess, args: string[]): Promise<RunningProcess> => {
      node.kill('SIGTERM');
      const { code } = await node.exited;
      assert.equal(code, 0, node.stderr);
      return (await start(args)).node;
    };

    const running = {
      routers: await Promise.all(routers.map((router) => start(commands.router(router)))),
      workers: await Promise.all(times(WORKERS, () => start(commands.worker))),
      gateways: await Promise.all(
        ports.slice(3 * ROUTERS).map((endpoint) => start(commands.gateway(new URL(endpoint).port))),
      ),
    };
    const urls = running.gateways.map(({ line }) => urlIn(line));
    const load = new Load(urls, log);
    load.start();
    scope.after(() => load.stop());

    for (const { node } of running.workers) await restart(node, commands.worker);
    for (const [n, { node }] of running.routers.entries()) {
      await restart(node, commands.router(routers[n] ?? []));
      await untilReached(scope, routers[n]?.[0] ?? '');
    }
    for (const [n, { node }] of running.gateways.entries()) {
      const url = urls[n] ?? '';
      await load.removeGateway(url);
      await restart(node, commands.gateway(new URL(url).port));
      load.addGateway(url);
    }
    await load.stop();

    const entries = readLogs(folder);
    const [idempotent, others] = [outcomesOf(entries, true), outcomesOf(entries, false)];
    t.diagnostic(`idempotent: ${JSON.stringify(idempotent)}; others: ${JSON.stringify(others)}`);
    assert.deepEqual(check(entries, { maxRuns: Infinity }).violations, []);
    assert.deepEqual([idempotent, others].map(Object.keys), [['ok'], ['ok']]);
  });
});
