/** A router in a process of its own, so that it can be killed. What comes before its workers are back waits for them. */
import { silentLogger, ZeroMQRouter } from '../../../dist/index.js';

const [frontendConnection, backendConnection] = process.argv.slice(2);
const limits = { startupGrace: 30_000 };
const router = new ZeroMQRouter({ frontendConnection, backendConnection, limits, logger: silentLogger });
await router.start();
console.log('ready');
process.on('SIGTERM', () => void router.stop());
