/** A router that reports its memory use. Argument: router options as JSON. Run with --expose-gc. */
import type * as Framework from '../../src/index.ts';
import { built } from './built.ts';
import { serve } from './serve.ts';

const { ZeroMQRouter, ZeroMQTCPConnection } = await built<typeof Framework>('index');

const anyPort = (): Framework.ZeroMQTCPConnection =>
  new ZeroMQTCPConnection(0, '127.0.0.1', { bindHost: '127.0.0.1' });
const options = JSON.parse(process.argv[2] ?? '{}') as Partial<Framework.ZeroMQRouterOptions>;
const router = new ZeroMQRouter({ frontendConnection: anyPort(), backendConnection: anyPort(), ...options });
const { frontend, backend } = await router.start();

serve(JSON.stringify({ frontend, backend }), () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return Promise.resolve({ held: heapUsed + external });
});
