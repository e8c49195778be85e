// test:all: 10 s; ../streams-client.test.ts represents it
/** `call --stream` and `--upload`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { withResolvers } from '../../../src/core/collections/deferred.ts';
import { event, type HandlerContext, ReplyError, stream } from '../../../src/index.ts';
import { runCommand, startCommand } from '../../helpers/command.ts';
import { within } from '../../helpers/eventually.ts';
import { PATIENCE } from '../../helpers/patience.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { startServer } from '../framework.ts';

async function serve(t: TestContext): Promise<string[]> {
  const { endpoint } = await startServer(scopeOf(t), {
    connection: 'tcp://127.0.0.1:0',
    handlers: {
      lines: async function* (data: unknown) {
        yield { data };
        yield 2;
      },
      events: async function* () {
        yield event({ id: 1, event: 'tick', data: { a: 1 } });
      },
      bytes: () => stream(['one\n', 'two']),
      fails: async function* () {
        yield { first: true };
        await Promise.resolve();
        throw new ReplyError(409, 'TOO_LATE', 'it failed');
      },
      count: async (_data: unknown, { body }: HandlerContext) => {
        let bytes = 0;
        for await (const chunk of body) bytes += chunk.length;
        return { bytes };
      },
    },
  });
  return ['--to', endpoint, '--stream'];
}

describe('call --stream', () => {
  it('prints items as lines of JSON, and bytes unchanged', async (t) => {
    const to = await serve(t);
    const lines = await runCommand(t, ['call', 'lines', '{"id":12}', ...to]);
    assert.deepEqual([lines.code, lines.stdout], [0, '{"data":{"id":12}}\n2']);
    const events = await runCommand(t, ['call', 'events', ...to]);
    assert.equal(events.stdout, '{"id":"1","event":"tick","data":{"a":1}}');
    assert.equal((await runCommand(t, ['call', 'bytes', ...to])).stdout, 'one\ntwo');
  });

  it('exits with 1 when the stream fails after its first item', async (t) => {
    const { code, stdout, stderr } = await runCommand(t, ['call', 'fails', ...(await serve(t))]);
    assert.deepEqual([code, stdout], [1, '{"first":true}']);
    assert.match(stderr, /TOO_LATE: it failed/);
  });

  it('ends on Ctrl-C with the exit code 0, and aborts the handler', async (t) => {
    const scope = scopeOf(t);
    const aborted = withResolvers<string>();
    const { endpoint } = await startServer(scope, {
      connection: 'tcp://127.0.0.1:0',
      handlers: {
        endless: async function* (_data: unknown, { signal }: HandlerContext) {
          signal.addEventListener('abort', () => aborted.resolve((signal.reason as Error).message));
          yield { n: 1 };
          await once(signal, 'abort');
        },
      },
    });
    const node = startCommand(scope, ['call', 'endless', '--to', endpoint, '--stream']);
    await node.waitForLine(/^\{"n":1\}$/, PATIENCE);
    node.kill('SIGINT');
    assert.match(await within(aborted.promise, 'the abort of the handler'), /cancel/);
    const { code } = await node.exited;
    assert.deepEqual([code, node.stderr, node.lines], [0, '', ['{"n":1}']]);
  });

  it('--upload sends a file', async (t) => {
    const file = path.join(tempFolder(t), 'body.bin');
    writeFileSync(file, Buffer.alloc(300_000));
    const { stdout } = await runCommand(t, ['call', 'count', ...(await serve(t)), '--upload', file]);
    assert.equal(stdout, '{"bytes":300000}');
  });

  it('--upload of a file that does not exist is a usage error', async (t) => {
    const { code, stderr } = await runCommand(t, [
      'call',
      'count',
      ...(await serve(t)),
      '--upload',
      '/no/such',
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /upload/);
  });
});
