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
  type ZeroMQWorkerOptions,
} from '../index.ts';

/** A router in the same thread, as a worker knows it. */
type EmbeddedRouter = Extract<ZeroMQWorkerOptions['connection'], { withdraw(worker: never): void }>;
type EmbeddedWorker = Parameters<EmbeddedRouter['register']>[0];
type EmbeddedSlot = Exclude<ReturnType<EmbeddedRouter['register']>, string>;
type Settle = Parameters<Requester['request']>[1];

/** A request that waits for its reply. */
interface Pending {
  readonly settle: Settle;
  readonly cancelTimer: () => void;
}

/** The function of the system, even while a test runner replaces the global one. */
const nextTurn = setImmediate;
const NO_BYTES = Buffer.alloc(0);

/** One worker of the router: the worker under test, or the fakes. */
class Peer implements EmbeddedRouter, Requester {
  readonly reachable = true;
  private readonly pending = new Map<number, Pending>();
  private worker: EmbeddedWorker | undefined;
  private lastId = 0;

  constructor(
    private readonly clock: Clock,
    private readonly route: Requester['request'],
  ) {}

  register(worker: EmbeddedWorker): EmbeddedSlot {
    this.worker = worker;
    return {
      reply: (id, _generation, reply) => this.settle(id, reply),
      leave: () => undefined,
      lost: () => this.lose(),
    };
  }

  withdraw(): void {
    // The router refuses no worker.
  }

  /** Sends a request of this worker. */
  request(outgoing: OutgoingRequest, settle: Settle): InFlight {
    return this.route(outgoing, settle);
  }

  /** Whether the worker serves an event. */
  serves(eventName: string): boolean {
    const { worker } = this;
    return worker !== undefined && (worker.events === undefined || worker.events.includes(eventName));
  }

  /** Passes a request to the worker. */
  dispatch(outgoing: OutgoingRequest, settle: Settle): InFlight {
    const { eventName, body, timeout: timeLeft, idempotent, requestId = '', extras: data } = outgoing;
    const extras = data === undefined ? NO_BYTES : Buffer.from(JSON.stringify(data));
    const id = (this.lastId += 1);
    const cancelTimer = this.clock.after(timeLeft, () => this.expire(id));
    this.pending.set(id, { settle, cancelTimer });
    this.worker?.onRequest(id, 1, { eventName, body, timeLeft, idempotent, requestId, extras });
    return { cancel: () => this.cancel(id) };
  }

  private cancel(id: number): void {
    const pending = this.pending.get(id);
    if (pending === undefined) return;
    this.pending.delete(id);
    pending.cancelTimer();
    this.worker?.onCancel(id, 1, 'cancelled');
  }

  private settle(id: number, reply: ReplyMessage): void {
    const pending = this.pending.get(id);
    if (pending === undefined || reply.more) return;
    this.pending.delete(id);
    pending.cancelTimer();
    pending.settle(reply);
  }

  /** A request that the worker had queued is answered by the worker itself, with `EXPIRED`. */
  private expire(id: number): void {
    this.worker?.onCancel(id, 1, 'expired');
    this.settle(id, failure('TIMEOUT', 'the worker did not reply in time'));
  }

  private lose(): void {
    this.worker = undefined;
    for (const id of [...this.pending.keys()]) {
      this.settle(id, failure('WORKER_LOST', 'the worker under test was closed'));
    }
  }
}

/** Decides which peer a request of the worker under test goes to, and sees all of them. */
export interface MemoryRouterOptions {
  readonly clock: Clock;
  /** Called with each request that the worker under test sends. */
  readonly onCall: (request: OutgoingRequest) => void;
}

/** See the head of this file. It is the requester of the test and of the gateway. */
export class MemoryRouter implements Requester {
  readonly reachable = true;
  /** Connection of the worker under test. */
  readonly worker: Peer;
  /** Connection of the fakes. */
  readonly fakes: Peer;

  constructor({ clock, onCall }: MemoryRouterOptions) {
    this.worker = new Peer(clock, (outgoing, settle) => {
      onCall(outgoing);
      return this.call(outgoing, settle);
    });
    this.fakes = new Peer(clock, (outgoing, settle) => this.call(outgoing, settle));
  }

  /** Sends a request of the test to the worker under test. */
  request(outgoing: OutgoingRequest, settle: Settle): InFlight {
    const { eventName } = outgoing;
    if (this.worker.serves(eventName)) return this.worker.dispatch(outgoing, settle);
    return answer(
      failure('NO_WORKER', `the worker under test does not serve the event ${eventName}`),
      settle,
    );
  }

  /** Sends a request of the worker: to a fake, or else to the worker itself. */
  private call(outgoing: OutgoingRequest, settle: Settle): InFlight {
    const { eventName } = outgoing;
    for (const peer of [this.fakes, this.worker]) {
      if (peer.serves(eventName)) return peer.dispatch(outgoing, settle);
    }
    const name = JSON.stringify(eventName);
    const text = `the test has no fake for the event ${name}: add it to the option fakes of testWorker`;
    return answer(failure('NO_WORKER', text), settle);
  }
}

/** Answers a request that no worker receives, in a later turn as a router does. */
function answer(reply: ReplyMessage, settle: Settle): InFlight {
  const turn = nextTurn(() => settle(reply));
  return { cancel: () => clearImmediate(turn) };
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
