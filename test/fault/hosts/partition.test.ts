// test:all: 30 s, as root; ../worker-killed.test.ts represents it
/**
 * Three routers, four workers and two gateways, each on its own host (network namespaces, by
 * iproute2). Under constant load they are killed, cut off in one and both directions, and
 * reconnected. The checker of outcomes evaluates every
 * request.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { check, outcomesOf } from '../../../soak/lib/checker.ts';
import { Log, readLogs } from '../../../soak/lib/log.ts';
import { OUTCOMES } from '../../../src/index.ts';
import { startNode, urlIn } from '../../helpers/command.ts';
import { type Host, hostsSkipReason, Network } from '../../helpers/hosts.ts';
import { Load } from '../../helpers/load.ts';
import { LOGGING_DOCUMENT, LOGGING_WORKER } from '../../helpers/logging-worker.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const TEST_TIMEOUT = 200_000;

/** Longer than ZMTP heartbeats need to detect a dead connection, in ms. */
const PARTITION = 12_000;

/** Time in ms in which a fault, or its end, shows under load. */
const FAULT_PERIOD = 1500;

const unable = hostsSkipReason();

/** Prefix of the ids of the requests that are sent after the faults. */
const HEALED = 'healed-';

describe('many hosts', {
  timeout: TEST_TIMEOUT,
  skip: unable ?? false,
}, () => {
  it('many hosts: every outcome is in the outcome table while nodes are killed and cut off', async (t) => {
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
    const network = new Network(scope);
    const hosts = (count: number): Host[] => Array.from({ length: count }, () => network.host());
    const [routers, workers, gateways] = [hosts(3), hosts(4), hosts(2)];
    const all = (flag: string, port: number) =>
      routers.flatMap(({ address }) => [flag, `tcp://${address}:${port}`]);
    const start = (host: Host, args: string[]) =>
      startNode(scope, args, { env: { CHECKER_LOG: folder }, prefix: host.prefix });
    const startRouter = (host: Host) => {
      const on = (port: number) => `tcp://${host.address}:${port}`;
      return start(host, [
        ...['router', '--frontend', on(5555), '--backend', on(5556), '--heartbeat', on(5557), '--insecure'],
      ]);
    };
    const startWorker = (host: Host) =>
      start(host, ['worker', worker, ...all('--router', 5556), ...all('--heartbeat', 5557)]);
    const startGateway = (host: Host) =>
      start(host, [
        ...['gateway', ...all('--router', 5555), '--openapi', document, '--timeout', '18000'],
        ...['--host', host.address],
      ]);
    const [routing, working, serving] = await Promise.all([
      Promise.all(routers.map(startRouter)),
      Promise.all(workers.map(startWorker)),
      Promise.all(gateways.map(startGateway)),
    ]);
    const urls = serving.map(({ line }) => urlIn(line));
    const load = new Load(urls, log);
    load.start();
    scope.after(() => load.stop());
    await delay(FAULT_PERIOD);

    routing[0]?.node.kill('SIGKILL');
    await delay(FAULT_PERIOD);
    await startRouter(routers[0] ?? assert.fail());
    working[0]?.node.kill('SIGKILL');
    await delay(FAULT_PERIOD);

    const [, cut, third] = routers;
    const [, , half] = workers;
    assert.ok(cut && third && half);
    cut.disconnect();
    half.dropTowards(third);
    await delay(PARTITION);
    cut.reconnect(network.bridge);
    half.restoreTowards(third);
    await delay(2 * FAULT_PERIOD);
    await load.stop();
    const disturbed = readLogs(folder);

    const later = new Load(urls, log, HEALED);
    later.start();
    await delay(FAULT_PERIOD);
    await later.stop();

    const [idempotent, others] = [outcomesOf(disturbed, true), outcomesOf(disturbed, false)];
    t.diagnostic(`idempotent: ${JSON.stringify(idempotent)}; others: ${JSON.stringify(others)}`);
    assert.deepEqual(check(disturbed, { maxRuns: Infinity }).violations, []);
    const codes = new Set([...Object.keys(idempotent), ...Object.keys(others)]);
    codes.delete('ok');
    for (const code of codes) assert.ok(code in OUTCOMES, `${code} is in the error catalogue`);
    assert.deepEqual(Object.keys(idempotent), ['ok'], 'an idempotent request failed');
    assert.ok((others.WORKER_LOST ?? 0) > 0, 'a request was reported as WORKER_LOST');
    const healed = readLogs(folder).filter(({ id }) => id.startsWith(HEALED));
    assert.deepEqual(
      [outcomesOf(healed, true), outcomesOf(healed, false)].map(Object.keys),
      [['ok'], ['ok']],
      'healed',
    );
  });
});
