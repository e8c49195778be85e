/** Groups of worker threads for tests, whose module is thread-worker.ts. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModule } from '../../src/core/identity/load-module.ts';
import { silentLogger, ZeroMQWorkerThreads, type ZeroMQWorkerThreadsOptions } from '../../src/index.ts';
import { within } from '../helpers/eventually.ts';
import { untilJoined } from '../helpers/published.ts';
import type { Scope } from '../helpers/scope.ts';
import { connectClient, nextEvent as nextWithin, startRouter } from './framework.ts';

/** Resolves with the arguments of the next event. */
export function next(node: object, event: string): Promise<unknown[]> {
  return nextWithin(node, event);
}

/** The module of the threads. */
export const module = fileURLToPath(new URL('./thread-worker.ts', import.meta.url));

/** A message of a thread. */
export interface ThreadMessage {
  what: string;
  data: unknown;
  threadId: number;
}

/** Messages of the threads. */
export class Channel {
  readonly messages: ThreadMessage[] = [];
  private readonly channel = new BroadcastChannel('thread-worker');
  private wake: (() => void) | undefined;

  constructor(scope: Scope) {
    this.channel.onmessage = ({ data }: { data: unknown }) => {
      this.messages.push(data as ThreadMessage);
      this.wake?.();
    };
    scope.after(() => this.channel.close());
  }

  send(what: string): void {
    this.channel.postMessage({ what });
  }

  /** Resolves after `count` messages. */
  async waitFor(what: string, count = 1): Promise<ThreadMessage[]> {
    for (;;) {
      const found = this.messages.filter((message) => message.what === what);
      if (found.length >= count) return found;
      const more = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      await within(more, `${count} × ${what}`);
    }
  }
}

/**
 * Compiles TypeScript in this thread, as a group without threads does. That starts the compiler, which
 * stays until the process ends. Compiled code is cached by its content, so the content is new.
 */
export async function startCompiler(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'compiler-'));
  try {
    const file = join(folder, 'new.ts');
    writeFileSync(file, `export default ${JSON.stringify(randomUUID())} as string;\n`);
    await loadModule(file, 'module');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Creates a group, which is stopped at the end of the test. */
export function makeThreads(scope: Scope, options: Partial<ZeroMQWorkerThreadsOptions>): ZeroMQWorkerThreads {
  const defaults = { module, connection: 'tcp://127.0.0.1:1', logger: silentLogger };
  const threads = new ZeroMQWorkerThreads({ ...defaults, ...options });
  scope.after(() => threads.stop({ deadline: 100 }));
  return threads;
}

/** Starts a router, a group behind it and a client. Without threads, the group has one worker. */
export async function startThreads(
  scope: Scope,
  count: number,
  options: Partial<ZeroMQWorkerThreadsOptions> = {},
) {
  const { router, frontend, backend } = await startRouter(scope);
  const threads = makeThreads(scope, { connection: backend, threads: count, ...options });
  await untilJoined(() => threads.start(), Math.max(1, count));
  return { router, threads, client: await connectClient(scope, frontend) };
}
