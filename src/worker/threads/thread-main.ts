/** What runs in each thread of a `ZeroMQWorkerThreads`: a worker module that opens no sockets. */
import { parentPort, workerData } from 'node:worker_threads';
import { refuseNativeSockets } from './native-sockets.ts';
import { startPulse } from './pulse.ts';
import type { FromThread, ThreadSetup } from './thread-messages.ts';

if (parentPort !== null) {
  const port = parentPort;
  const needsProcess: FromThread = { type: 'needs-process' };
  refuseNativeSockets(() => port.postMessage(needsProcess));
  // Imports zeromq, which must be under guard by then.
  const { serveModule } = await import('./module-service.ts');
  const setup = workerData as ThreadSetup;
  await serveModule({ isolation: 'thread', port, startPulse: () => startPulse(setup.pulse) }, setup);
}
