/** A handler whose request timed out leaves one line, wherever it runs. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { LogMethod } from '../../src/core/logging/logging.ts';
import { type Logger, silentLogger, type ZeroMQClient } from '../../src/index.ts';
import { within } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { briefTimeout } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { aborted, connectClient, startRouter, startServer, startWorker } from './framework.ts';
import { startThreads } from './threads.ts';

failOnLeftovers();

type Line = Readonly<Record<string, unknown>>;

/** A logger whose warnings about handlers the test reads. */
class Warnings {
  readonly lines: Line[] = [];
  private wake: (() => void) | undefined;
  readonly logger: Logger = { ...silentLogger, warn: this.method(), child: () => this.logger };

  private method(): LogMethod {
    return (fields: object | string, text?: unknown) => {
      if (!/a handler|more handlers/.test(String(text))) return;
      this.lines.push({ ...(fields as object), text });
      this.wake?.();
    };
  }

  async first(): Promise<Line | undefined> {
    if (this.lines.length === 0) {
      const more = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      await within(more, 'the line of the handler');
    }
    return this.lines[0];
  }
}

const handlers = {
  // Ends when its signal aborts, as most clients of databases and services do.
  wait: async (_data: unknown, { signal }: { signal: AbortSignal }) => {
    await aborted(signal);
    throw signal.reason;
  },
  ping: () => 'pong',
};

const MODULE = `
import { defineWorker } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)};
export default defineWorker({ handlers: {
  wait: (_data, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  ping: () => 'pong',
} });`;

const PLACES: Readonly<Record<string, (scope: Scope, logger: Logger) => Promise<ZeroMQClient>>> = {
  'in a worker behind a router': async (scope, logger) => {
    const { frontend, backend } = await startRouter(scope);
    await startWorker(scope, { connection: backend, handlers, logger });
    return connectClient(scope, frontend);
  },
  'in a worker embedded in a router': async (scope, logger) => {
    const { router, frontend } = await startRouter(scope);
    await startWorker(scope, { connection: router, handlers, logger });
    return connectClient(scope, frontend);
  },
  'in a server': async (scope, logger) => {
    const { endpoint } = await startServer(scope, { connection: 'tcp://127.0.0.1:*', handlers, logger });
    return connectClient(scope, endpoint);
  },
  'in a thread': async (scope, logger) => {
    const module = path.join(tempFolder(scope), 'late.mjs');
    writeFileSync(module, MODULE);
    return (await startThreads(scope, 1, { module, logger })).client;
  },
};

describe('late handlers', () => {
  for (const [where, start] of Object.entries(PLACES)) {
    it(`late handlers: ${where}, a request that timed out leaves one line with event and request id`, async (t) => {
      const warnings = new Warnings();
      const client = await start(scopeOf(t), warnings.logger);
      const request = client.sendMessage('wait', {}, { timeout: briefTimeout(200), requestId: 'request-1' });
      await assert.rejects(request, { code: 'TIMEOUT' });
      const line = await warnings.first();
      assert.deepEqual([line?.['event'], line?.['requestId']], ['wait', 'request-1']);
      assert.match(String(line?.['text']), /^a handler settled \d+ ms after its request timed out$/);
      assert.ok(Number(line?.['ran']) >= 195, String(line?.['ran']));
      assert.equal((await client.sendMessage('ping')).eventData, 'pong');
      assert.equal(warnings.lines.length, 1);
    });
  }
});
