/** An executor for tests, with what it answered and logged. */
import { type LogMethod, silentLogger } from '../../../src/core/logging/logging.ts';
import type { ReplyMessage } from '../../../src/core/messages/message.ts';
import type { Execution } from '../../../src/runtime/execution.ts';
import { Executor, type ExecutorOptions } from '../../../src/runtime/executor.ts';
import { makeRequest } from '../wire/messages.ts';

export function makeExecutor(handlers: ExecutorOptions['handlers'], options: Partial<ExecutorOptions> = {}) {
  const logged: string[] = [];
  const error: LogMethod = (fields: object | string, message?: unknown): void => {
    logged.push(typeof message === 'string' ? message : JSON.stringify(fields));
  };
  const executor = new Executor({
    handlers,
    concurrency: 2,
    maxQueue: 100_000,
    maxQueueBytes: 2 ** 30,
    maxReplyBytes: 1000,
    maxStreams: 1000,
    logger: { ...silentLogger, error },
    ...options,
  });
  const replies: ReplyMessage[] = [];
  const execute = (eventName: string, body: unknown = null, members = {}): Execution => {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    return executor.execute(makeRequest({ eventName, body: bytes, ...members }), (got) => replies.push(got));
  };
  const codes = (): string[] => replies.map(({ code }) => code || 'ok');
  return { executor, replies, execute, codes, logged };
}

/** The value of a reply's body. */
export const data = ({ body }: ReplyMessage): unknown => JSON.parse(String(body));

export const codeOf = (message: ReplyMessage | undefined): string | undefined => message?.code;
