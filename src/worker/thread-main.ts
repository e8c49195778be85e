/**
 * What runs in each thread of a `ZeroMQWorkerThreads`: the handlers of a worker module. The sockets stay with the
 * parent: zeromq.js brings the whole process down when a thread ends with a socket in use.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { GiveUp } from '../core/give-up.ts';
import { IdMap, ROUTERS_PLACES } from '../core/id-map.ts';
import type { Logger } from '../core/logging.ts';
import type { ReplyMessage, RequestMessage } from '../core/message.ts';
import type { Execution, RequestExecutor } from '../service/execution.ts';
import { localParts } from '../service/service-node.ts';
import type { PackedSink } from '../wire/packed.ts';
import { loadWorkerModule, type WorkerDefinition } from './define.ts';
import { PackedPort, type PostedRecords, type PostTarget } from './packed-port.ts';
import { startPulse } from './pulse.ts';
import { threadLogger } from './thread-logger.ts';
import { type FromThread, isPosted, type ThreadSetup, type ToThread } from './thread-messages.ts';
import { announcementOf } from './worker.ts';

/** The thread's side of a `ThreadExecutor`. */
class ThreadService implements PackedSink {
  private readonly port: PackedPort;
  private readonly executions = new IdMap<Execution>(ROUTERS_PLACES);

  constructor(
    port: PostTarget,
    private readonly executor: RequestExecutor,
    private readonly beat: () => void,
  ) {
    this.port = new PackedPort(port, this);
  }

  received(posted: PostedRecords): void {
    this.port.received(posted);
  }

  packedRequest(id: number, generation: number, message: RequestMessage): void {
    // Handlers that block run one after the other, in one turn: each begins, so the thread does not stand still.
    this.beat();
    let settled = false;
    const execution = this.executor.execute(message, (reply: ReplyMessage) => {
      settled = true;
      this.executions.delete(id);
      this.port.addReply(id, generation, reply);
    });
    if (!settled) this.executions.set(id, execution);
  }

  packedCancel(id: number, _generation: number, why: GiveUp): void {
    this.executions.get(id)?.cancel(why);
  }

  packedReply(): void {
    // A parent sends requests and cancels only.
  }
}

async function main(port: MessagePort, setup: ThreadSetup): Promise<void> {
  const say = (message: FromThread): void => port.postMessage(message);
  const definition: WorkerDefinition = await loadWorkerModule(setup.module);
  const { maxMessageSize, concurrency = definition.concurrency } = setup;
  const logger = threadLogger(say);
  const parts = localParts('worker', { ...definition, concurrency, maxMessageSize, logger });
  const service = new ThreadService(port, parts.executor, startPulse(setup.pulse));
  await definition.onStart?.();
  port.on('message', (message: ToThread) => {
    if (isPosted(message)) service.received(message);
    else void stop(port, definition, logger);
  });
  say({ type: 'ready', announcement: announcementOf(definition), concurrency: parts.concurrency });
}

async function stop(port: MessagePort, definition: WorkerDefinition, logger: Logger): Promise<void> {
  try {
    await definition.onStop?.();
  } catch (error) {
    logger.error({ err: error }, 'onStop of the worker module failed');
  }
  port.close();
}

if (parentPort !== null) await main(parentPort, workerData as ThreadSetup);
