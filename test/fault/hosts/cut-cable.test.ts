// test:all: 25 s, as root; test/unit/client/request-table.test.ts represents it
/**
 * A cable is cut silently under load (network namespaces, by iproute2): between a gateway and a router,
 * between a router and a worker, and at a whole host. Each cut is shorter than the ZMTP heartbeats need
 * to close the connection, and the request timeout is shorter than that, too. Idempotent requests reach
 * another router or worker before their deadline.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { check, outcomesOf } from '../../../soak/lib/checker.ts';
import { Log, readLogs } from '../../../soak/lib/log.ts';
import { startNode, urlIn } from '../../helpers/command.ts';
import { type Host, hostsSkipReason, Network } from '../../helpers/hosts.ts';
import { Load } from '../../helpers/load.ts';
import { LOGGING_DOCUMENT, LOGGING_WORKER } from '../../helpers/logging-worker.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

/** Request timeout of the gateway in ms: less than ZMTP heartbeats may take to detect a cut. */
const TIMEOUT = 8000;

/** Duration of each cut in ms: requests that only the end of the cut would save exceed the timeout. */
const CUT = 9000;

/** Time in ms in which connections that were cut come back. */
const PAUSE = 3000;

/** Cuts the cable between two hosts in both directions. */
function cutBetween(one: Host, other: Host): () => void {
  one.dropTowards(other);
  other.dropTowards(one);
  return () => {
    one.restoreTowards(other);
    other.restoreTowards(one);
  };
}

describe('a cut cable', { timeout: 200_000, skip: hostsSkipReason() ?? false }, () => {
  it('a cut cable costs no idempotent request: it reaches another node before its deadline', async (t) => {
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
    const [first, second, third, fourth, front] = Array.from({ length: 5 }, () => network.host()) as [
      Host,
      Host,
      Host,
      Host,
      Host,
    ];
    const [routers, workers] = [
      [first, second],
      [third, fourth],
    ];
    const start = (host: Host, args: string[]) =>
      startNode(scope, args, { env: { CHECKER_LOG: folder }, prefix: host.prefix });
    const all = (port: number) => routers.flatMap(({ address }) => ['--router', `tcp://${address}:${port}`]);
    const [, , { line }] = await Promise.all([
      Promise.all(
        routers.map((host) => {
          const on = (port: number) => `tcp://${host.address}:${port}`;
          const places = ['--frontend', on(5555), '--backend', on(5556), '--heartbeat', on(5557)];
          return start(host, ['router', ...places, '--insecure']);
        }),
      ),
      Promise.all(workers.map((host) => start(host, ['worker', worker, ...all(5556)]))),
      start(front, [
        ...['gateway', ...all(5555), '--openapi', document],
        ...['--timeout', String(TIMEOUT), '--host', front.address],
      ]),
    ]);

    const load = new Load([urlIn(line)], log);
    load.start();
    scope.after(() => load.stop());
    await delay(PAUSE);
    const pull = (host: Host) => {
      host.disconnect();
      return () => host.reconnect(network.bridge);
    };
    for (const cut of [() => cutBetween(front, first), () => cutBetween(second, third), () => pull(fourth)]) {
      const restore = cut();
      await delay(CUT);
      restore();
      await delay(PAUSE);
    }
    await load.stop();

    const entries = readLogs(folder);
    const [idempotent, others] = [outcomesOf(entries, true), outcomesOf(entries, false)];
    t.diagnostic(`idempotent: ${JSON.stringify(idempotent)}; others: ${JSON.stringify(others)}`);
    assert.deepEqual(check(entries, { maxRuns: Infinity }).violations, []);
    const reasons = entries.flatMap((entry) => (entry.t === 'settled' ? (entry.reason ?? []) : []));
    assert.deepEqual(Object.keys(idempotent), ['ok'], `an idempotent request failed: ${reasons.join(', ')}`);
    const failed = Object.entries(others).filter(([code]) => code !== 'ok');
    assert.ok(failed.length > 0, 'the cuts hit no request');
  });
});
