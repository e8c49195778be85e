/**
 * A router for tests, in place of a `ZeroMQRouter`: it passes requests to the worker under test, and
 * those that this worker sends to the fakes. It opens no sockets, queues nothing, and its deadlines
 * follow the clock of the test.
 */
import {
  type Clock,
  type ErrorData,
  type InFlight,
  OUTCOMES,
  type OutcomeCode,
  type OutgoingRequest,
  type ReplyMessage,
  type Requester,
  type StreamPort,
  type ZeroMQWorkerOptions,
} from '../index.ts';

/** A router in the same thread, as a worker knows it. */
type EmbeddedRouter = Extract<ZeroMQWorkerOptions['connection'], { withdraw(worker: never): void }>;
type EmbeddedWorker = Parameters<EmbeddedRouter['register']>[0];
/** A request for a worker, in bytes. */
export type RequestMessage = Parameters<EmbeddedWorker['onRequest']>[2];
type EmbeddedSlot = Exclude<ReturnType<EmbeddedRouter['register']>, string>;
type Settle = Parameters<Requester['request']>[1];

/** A request that waits for its reply. */
interface Pending {
  readonly settle: Settle;
  /** Receives the reply as a stream, if the caller takes streams. */
  readonly stream: StreamPort | undefined;
  /** Receives progress, if the caller takes it. */
  readonly onProgress: Settle | undefined;
  readonly cancelTimer: () => void;
}

/** The function of the system, even while a test runner replaces the global one. */
const nextTurn = setImmediate;
const NO_BYTES = Buffer.alloc(0);

/** The members of a handle that concern streams; requests of tests have none. */
const WITHOUT_STREAM = { grant: () => undefined, sendChunk: () => undefined };

/** Each id is used once, so that it needs no generation. */
const GENERATION = 1;

/** Passes on what a worker calls. */
type Route = (message: RequestMessage, settle: Settle, stream: StreamPort | undefined) => InFlight;

/** One worker of the router: the worker under test, or the fakes. */
class Peer implements EmbeddedRouter, EmbeddedSlot {
  private readonly pending = new Map<number, Pending>();
  private worker: EmbeddedWorker | undefined;
  private lastId = 0;

  /** @param route passes on what the worker calls. */
  constructor(
    private readonly clock: Clock,
    private readonly route: Route,
  ) {}

  register(worker: EmbeddedWorker): EmbeddedSlot {
    this.worker = worker;
    return this;
  }

  withdraw(): void {
    // The router refuses no worker.
  }

  /** Sends a call of a handler. */
  call(message: RequestMessage, _parent: unknown, settle: Settle, stream?: StreamPort): InFlight {
    return this.route(message, settle, stream);
  }

  /** Whether the worker serves an event. */
  serves(eventName: string): boolean {
    const { worker } = this;
    return worker !== undefined && (worker.events === undefined || worker.events.includes(eventName));
  }

  /** Passes a request to the worker. */
  dispatch(
    message: RequestMessage,
    settle: Settle,
    {
      stream,
      onProgress,
    }: { readonly stream: StreamPort | undefined; readonly onProgress?: Settle | undefined },
  ): InFlight {
    const id = (this.lastId += 1);
    const cancelTimer = this.clock.after(message.timeLeft, () => this.expire(id));
    this.pending.set(id, { settle, cancelTimer, stream, onProgress });
    this.worker?.onRequest(id, GENERATION, message);
    return {
      cancel: () => this.cancel(id),
      grant: (bytes) => this.worker?.onWindow?.(id, GENERATION, bytes),
      sendChunk: (body, end) => this.worker?.onChunk?.(id, GENERATION, body, end),
    };
  }

  reply(id: number, _generation: number, reply: ReplyMessage): void {
    if (!reply.more) return this.settle(id, reply);
    const pending = this.pending.get(id);
    if (reply.code !== '') return pending?.onProgress?.(reply);
    // The deadline of a stream applies until its first chunk.
    pending?.cancelTimer();
    pending?.stream?.onChunk(reply);
  }

  window(id: number, _generation: number, bytes: number): void {
    this.pending.get(id)?.stream?.onWindow(bytes);
  }

  leave(): void {
    // The requests in flight are answered as usual.
  }

  lost(): void {
    this.worker = undefined;
    for (const id of [...this.pending.keys()]) {
      this.settle(id, failure('WORKER_LOST', 'the worker under test was closed'));
    }
  }

  private settle(id: number, reply: ReplyMessage): void {
    const pending = this.pending.get(id);
    if (pending === undefined) return;
    this.pending.delete(id);
    pending.cancelTimer();
    pending.settle(reply);
  }

  private cancel(id: number): void {
    const pending = this.pending.get(id);
    if (pending === undefined) return;
    this.pending.delete(id);
    pending.cancelTimer();
    this.worker?.onCancel(id, GENERATION, 'cancelled');
  }

  /** A request that the worker had queued is answered by the worker itself, with `EXPIRED`. */
  private expire(id: number): void {
    this.worker?.onCancel(id, GENERATION, 'expired');
    this.settle(id, failure('TIMEOUT', 'the worker did not reply in time'));
  }
}

/** Decides which peer a request of the worker under test goes to, and sees all of them. */
export interface MemoryRouterOptions {
  readonly clock: Clock;
  /** Called with each request that the worker under test sends. */
  readonly onCall: (message: RequestMessage) => void;
}

/** See the head of this file. It is the requester of the test and of the gateway. */
export class MemoryRouter implements Requester {
  readonly reachable = true;
  /** Connection of the worker under test. */
  readonly worker: Peer;
  /** Connection of the fakes. */
  readonly fakes: Peer;

  constructor({ clock, onCall }: MemoryRouterOptions) {
    this.worker = new Peer(clock, (message, settle, stream) => {
      onCall(message);
      return this.route(message, settle, stream);
    });
    this.fakes = new Peer(clock, (...call) => this.route(...call));
  }

  /** Sends a request of the test to the worker under test. */
  request(outgoing: OutgoingRequest, settle: Settle): InFlight {
    const { eventName, body, timeout: timeLeft, idempotent, requestId = '', extras: data } = outgoing;
    const { stream, onProgress } = outgoing;
    if (!this.worker.serves(eventName)) {
      return answer(
        failure('NO_WORKER', `the worker under test does not serve the event ${eventName}`),
        settle,
      );
    }
    const extras = data === undefined ? NO_BYTES : Buffer.from(JSON.stringify(data));
    const message = { eventName, body, timeLeft, idempotent, requestId, extras };
    const { window = 0, upload = false } = stream ?? {};
    const options = {
      ...(window > 0 && { window }),
      ...(upload && { upload }),
      ...(onProgress !== undefined && { progress: true }),
    };
    const progressed = onProgress && (({ body: json }: ReplyMessage): void => onProgress(json));
    return this.worker.dispatch({ ...message, ...options }, settle, { stream, onProgress: progressed });
  }

  /** Sends a call of a handler: to a fake, or else to the worker itself. */
  private route(message: RequestMessage, settle: Settle, stream: StreamPort | undefined): InFlight {
    const { eventName } = message;
    for (const peer of [this.fakes, this.worker]) {
      const onProgress = message.progress === true ? settle : undefined;
      if (peer.serves(eventName)) return peer.dispatch(message, settle, { stream, onProgress });
    }
    const name = JSON.stringify(eventName);
    const text = `the test has no fake for the event ${name}: add it to the option fakes of testWorker`;
    return answer(failure('NO_WORKER', text), settle);
  }
}

/** Answers a request that no worker receives, in a later turn as a router does. */
function answer(reply: ReplyMessage, settle: Settle): InFlight {
  const turn = nextTurn(() => settle(reply));
  return { ...WITHOUT_STREAM, cancel: () => clearImmediate(turn) };
}

function failure(code: OutcomeCode, message: string): ReplyMessage {
  const { status, dispatched } = OUTCOMES[code];
  const data: ErrorData = { error: { code, message, dispatched: dispatched ?? false } };
  const body = Buffer.from(JSON.stringify(data));
  return {
    status,
    code,
    dispatched: dispatched ?? false,
    more: false,
    contentType: '',
    extras: NO_BYTES,
    body,
  };
}
