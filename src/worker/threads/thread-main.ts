/** Entry of each thread of a `ZeroMQWorkerThreads`: runs a worker module that opens no sockets. */
import { parentPort, workerData } from 'node:worker_threads';
import { rejectNativeSockets } from './native-sockets.ts';
import { startPulse } from './pulse.ts';
import type { FromThread, ThreadSetup } from './thread-messages.ts';

if (parentPort !== null) {
  const port = parentPort;
  const needsProcess: FromThread = { type: 'needs-process' };
  rejectNativeSockets(() => port.postMessage(needsProcess));
  // This import loads zeromq, which must be guarded by then.
  const { serveModule } = await import('./module-service.ts');
  const setup = workerData as ThreadSetup;
  await serveModule({ mayOpenSockets: false, port, startPulse: () => startPulse(setup.pulse) }, setup);
}
