/** A caller of streams for tests, which records the parts of the reply. */
import { withResolvers } from '../../../../src/core/collections/deferred.ts';
import { silentLogger } from '../../../../src/core/logging/logging.ts';
import type { ReplyMessage } from '../../../../src/core/messages/message.ts';
import type { Handlers } from '../../../../src/index.ts';
import type { Execution } from '../../../../src/runtime/execution.ts';
import { Executor, type ExecutorOptions } from '../../../../src/runtime/executor.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { makeRequest } from '../../wire/messages.ts';

export class Caller {
  readonly parts: ReplyMessage[] = [];
  /** Bytes of the request body that the handler has granted. */
  granted = 0;
  execution!: Execution;
  private readonly settled = withResolvers<ReplyMessage>();
  private onPart: (() => void) | undefined;

  constructor(private readonly grants: boolean) {}

  receive(part: ReplyMessage): void {
    this.parts.push(part);
    if (!part.more) this.settled.resolve(part);
    else if (this.grants) this.execution.window(part.body.length || 64);
    this.onPart?.();
  }

  /** The last part. */
  get last(): Promise<ReplyMessage> {
    return this.settled.promise;
  }

  /** Resolves when `count` parts have arrived. */
  async arrived(count: number): Promise<void> {
    while (this.parts.length < count) {
      await new Promise<void>((resolve) => {
        this.onPart = resolve;
      });
    }
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts.map(({ body }) => body));
  }

  get text(): string {
    return this.bytes.toString();
  }
}

interface Sent {
  readonly data?: unknown;
  /** Window of the reply; 0 for a caller that takes no streams. */
  readonly window?: number;
  /** Whether the caller grants what it receives. */
  readonly grants?: boolean;
  readonly upload?: boolean;
  readonly timeLeft?: number;
  readonly extras?: object;
}

export function makeStreams(handlers: Handlers, options: Partial<ExecutorOptions> = {}) {
  const logged: string[] = [];
  const record = (fields: object | string, message?: unknown): void => {
    logged.push(typeof message === 'string' ? message : JSON.stringify(fields));
  };
  const clock = new FakeClock();
  const executor = new Executor({
    handlers,
    concurrency: 2,
    maxQueue: 100,
    maxQueueBytes: 2 ** 20,
    maxReplyBytes: 2 ** 20,
    maxStreams: 10,
    logger: { ...silentLogger, error: record, warn: record },
    clock,
    ...options,
  });
  const send = (eventName: string, sent: Sent = {}): Caller => {
    const { data = null, window = 256 * 1024, grants = true, upload, timeLeft = 5000, extras } = sent;
    const caller = new Caller(grants);
    const message = makeRequest({
      eventName,
      body: Buffer.from(JSON.stringify(data)),
      timeLeft,
      ...(extras !== undefined && { extras: Buffer.from(JSON.stringify(extras)) }),
      ...(window > 0 && { window }),
      ...(upload !== undefined && { upload }),
    });
    caller.execution = executor.execute(message, (part) => caller.receive(part), undefined, {
      grant: (bytes) => {
        caller.granted += bytes;
      },
    });
    return caller;
  };
  return { executor, send, logged, clock };
}

/** `+` for a chunk and `=` for the last part, each with its code or the length of its body. */
export function shape({ parts }: Caller): string[] {
  return parts.map(({ more, code, body }) => `${more ? '+' : '='}${code || body.length}`);
}
