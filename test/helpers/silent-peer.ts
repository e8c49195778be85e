/** A server that accepts every request and never replies. */
import { ZeroMQServer } from '../../src/index.ts';
import type { Cleanup } from './scope.ts';

/** Starts the server and returns its endpoint. */
export async function silentPeer(cleanup: Cleanup): Promise<string> {
  const server = new ZeroMQServer({
    connection: 'tcp://127.0.0.1:0',
    handleMessage: () => new Promise<never>(() => undefined),
  });
  cleanup.after(() => server.stop({ deadline: 0 }));
  const { endpoint } = await server.start();
  return endpoint;
}
