/**
 * Entry of each process of a `ZeroMQWorkerThreads`: runs a worker module that opens its own
 * sockets.
 */
import { Worker as Thread } from 'node:worker_threads';
import { toError } from '../../core/messages/errors.ts';
import { serveModule } from './module-service.ts';
import { startBeats } from './pulse.ts';
import type { FromProcess, ProcessSetup, ToThread } from './thread-messages.ts';

/**
 * Ends this process when its parent has exited, even while a handler blocks. The parent can no
 * longer end it then, and a blocked process does not notice the end of the channel.
 */
const WATCHDOG = `
const { workerData: parent } = require('node:worker_threads');
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);`;

function send(message: FromProcess, done: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, done);
  else done();
}

/** Ends the process once the parent has received the error. */
function fail(thrown: unknown): void {
  const { name, message, stack } = toError(thrown);
  send({ type: 'failed', error: { name, message, stack } }, () => process.exit(1));
}

async function main(setup: ProcessSetup): Promise<void> {
  // Messages that arrive while the module loads, such as the request to stop.
  const early: ToThread[] = [];
  const keep = (message: ToThread): void => void early.push(message);
  process.on('message', keep);
  new Thread(WATCHDOG, { eval: true, workerData: setup.parent, execArgv: [] }).unref();
  const port = {
    postMessage: (message: FromProcess) => send(message),
    on: (_event: 'message', listener: (message: ToThread) => void) => {
      process.off('message', keep).on('message', listener);
      for (const message of early) listener(message);
    },
    // The module's sockets would keep the process alive. All replies have reached the parent by
    // now.
    close: () => send({ type: 'ended' }, () => process.exit()),
  };
  const beat = (): void => send({ type: 'beat' });
  const { inspectPort } = setup;
  if (inspectPort !== undefined) {
    const { openInspector } = await import('./inspector.ts');
    openInspector(inspectPort, () => send({ type: 'inspector', port: inspectPort }));
  }
  await serveModule(
    { mayOpenSockets: true, port, startPulse: () => startBeats(beat, setup.interval) },
    setup,
  );
}

// Terminals and service managers signal the whole process group. Only the parent decides when the
// worker stops.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
process.once('disconnect', () => process.exit(1));
process.on('uncaughtExceptionMonitor', (error) => {
  if (process.listenerCount('uncaughtException') === 0) process.once('uncaughtException', () => fail(error));
});
process.once('message', (setup: ProcessSetup) => void main(setup).catch(fail));
