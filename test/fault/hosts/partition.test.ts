/**
 * Three routers, four workers and two gateways, each on a host of its own (network namespaces, by iproute2): killed, cut off
 * both ways and one way, and healed, under constant load. The ledger holds what was asked, answered and run against
 * the outcome table.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { OUTCOMES } from '../../../src/index.ts';
import { startNode, urlIn } from '../../helpers/command.ts';
import { type Host, hostsSkipReason, Network } from '../../helpers/hosts.ts';
import { LEDGER_DOCUMENT, LEDGER_WORKER, Ledger } from '../../helpers/ledger.ts';
import { Load } from '../../helpers/load.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const TEST_TIMEOUT = 200_000;

/** Longer than ZMTP heartbeats take to find a dead connection, in ms. */
const PARTITION = 12_000;

/** How long a fault, or its end, shows itself under load, in ms. */
const WHILE = 1500;

const unable = hostsSkipReason();

describe('routers, workers and gateways on many hosts', {
  timeout: TEST_TIMEOUT,
  skip: unable ?? false,
}, () => {
  it('keep the outcome table, whoever is killed or cut off', async (t) => {
    const scope = scopeOf(t);
    const folder = tempFolder(scope);
    const file = (name: string, text: string): string => {
      writeFileSync(path.join(folder, name), text);
      return path.join(folder, name);
    };
    const worker = file('ledger.mjs', LEDGER_WORKER);
    const document = file('ledger.yaml', LEDGER_DOCUMENT);
    const ledger = new Ledger(path.join(folder, 'ledger.log'));
    const network = new Network(scope);
    const hosts = (count: number): Host[] => Array.from({ length: count }, () => network.host());
    const [routers, workers, gateways] = [hosts(3), hosts(4), hosts(2)];
    const all = (flag: string, port: number) =>
      routers.flatMap(({ address }) => [flag, `tcp://${address}:${port}`]);
    const start = (host: Host, args: string[]) =>
      startNode(scope, args, { env: { LEDGER: ledger.file }, prefix: host.prefix });
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
    const load = new Load(urls, ledger);
    load.start();
    scope.after(() => load.stop());
    await delay(WHILE);

    routing[0]?.node.kill('SIGKILL');
    await delay(WHILE);
    await startRouter(routers[0] ?? assert.fail());
    working[0]?.node.kill('SIGKILL');
    await delay(WHILE);

    const [, cut, third] = routers;
    const [, , half] = workers;
    assert.ok(cut && third && half);
    cut.disconnect();
    half.dropTowards(third);
    await delay(PARTITION);
    cut.reconnect(network.bridge);
    half.restoreTowards(third);
    await delay(2 * WHILE);
    await load.stop();
    const violations = ledger.violations();

    const calm = new Ledger(ledger.file);
    const later = new Load(urls, calm, 'calm-');
    later.start();
    await delay(WHILE);
    await later.stop();

    t.diagnostic(`${ledger.size} requests; may be repeated: ${JSON.stringify(ledger.outcomes(true))}`);
    t.diagnostic(`must not: ${JSON.stringify(ledger.outcomes(false))}`);
    assert.deepEqual(violations, []);
    const codes = new Set([...Object.keys(ledger.outcomes(true)), ...Object.keys(ledger.outcomes(false))]);
    codes.delete('ok');
    for (const code of codes) assert.ok(code in OUTCOMES, `${code} is in the catalogue`);
    assert.deepEqual(Object.keys(ledger.outcomes(true)), ['ok'], 'what may be repeated never fails');
    assert.ok((ledger.outcomes(false).WORKER_LOST ?? 0) > 0, 'somebody was told that a worker was lost');
    assert.deepEqual(
      [calm.outcomes(true), calm.outcomes(false)].map(Object.keys),
      [['ok'], ['ok']],
      'healed',
    );
  });
});
