/**
 * The sample workers behind a gateway, as in `zeromq-gateway up`: contracts are announced, and
 * inventory has a document.
 */
import { join } from 'node:path';
import { ApiRegistry, contractChecker, putDocument } from '../../../src/gateway/index.ts';
import { ZeroMQRouter, ZeroMQWorkerThreads } from '../../../src/index.ts';
import { untilJoined } from '../published.ts';
import type { Scope } from '../scope.ts';
import { tempFolder } from '../temp.ts';
import { type Hosted, ownServer } from './hosts.ts';

const ROOT = join(import.meta.dirname, '../../..');
const ANY = 'tcp://127.0.0.1:0';

/** A gateway with the sample workers behind it. */
export interface Samples extends Hosted {
  /** Endpoint for additional workers. */
  readonly backend: string;
  /** Folder with the data of the workers. */
  readonly data: string;
}

/**
 * Starts the gateway and the workers, which stop with the scope. Replies that do not match the
 * document are rejected.
 */
export async function startSamples(scope: Scope): Promise<Samples> {
  const data = tempFolder(scope);
  const registry = new ApiRegistry();
  putDocument(registry, join(ROOT, 'openapi/inventory.yaml'));
  const router = new ZeroMQRouter({
    frontendConnection: ANY,
    backendConnection: ANY,
    limits: { startupGrace: 0 },
    contractChecker: contractChecker(registry),
  });
  scope.after(() => router.stop({ deadline: 1000 }));
  const { backend } = await router.start();
  const old = process.env['ZMQ_GATEWAY_DATA'];
  process.env['ZMQ_GATEWAY_DATA'] = data;
  for (const name of ['echo', 'tasks']) {
    const module = join(ROOT, `workers/${name}.ts`);
    const workers = new ZeroMQWorkerThreads({ module, threads: 1, connection: backend });
    scope.after(() => workers.stop());
    await untilJoined(() => workers.start());
  }
  if (old === undefined) delete process.env['ZMQ_GATEWAY_DATA'];
  else process.env['ZMQ_GATEWAY_DATA'] = old;
  const hosted = await ownServer(scope, { requester: router, api: registry, replies: { check: 'reject' } });
  return { ...hosted, backend, data };
}
