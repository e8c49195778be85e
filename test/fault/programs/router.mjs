/**
 * A router in a process of its own, which a test can kill. Requests that arrive before its workers
 * are back are queued.
 *
 * Arguments: frontend, backend, and the startup grace in milliseconds.
 */
import { ApiRegistry, contractChecker } from '../../../dist/gateway/index.js';
import { silentLogger, ZeroMQRouter } from '../../../dist/index.js';

const [frontendConnection, backendConnection, startupGrace = '30000'] = process.argv.slice(2);
const router = new ZeroMQRouter({
  frontendConnection,
  backendConnection,
  limits: { startupGrace: Number(startupGrace) },
  contractChecker: contractChecker(new ApiRegistry()),
  logger: silentLogger,
});
await router.start();
console.log('ready');
process.on('SIGTERM', () => void router.stop());
