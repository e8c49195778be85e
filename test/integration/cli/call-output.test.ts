/** `call` as part of a pipeline: data from standard input, a full disk, and a reader that ends early. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { endpointIn, FREE_PORTS, runCommand, startNode } from '../../helpers/command.ts';
import { Scope } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const INDEX = pathToFileURL(path.resolve('dist/index.js')).href;

/** A worker that echoes, and counts until it is cancelled. */
const WORKER = `
import { defineWorker } from '${INDEX}';
export default defineWorker({
  handlers: {
    'pipe.echo': (data) => data,
    'pipe.count': async function* (_data, { signal }) {
      for (let n = 0; !signal.aborted; n += 1) {
        yield { n };
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  },
});
`;

describe('call in a pipeline', () => {
  const scope = new Scope();
  let to: string[];
  before(async () => {
    const cwd = tempFolder(scope);
    const file = path.join(cwd, 'pipe.mjs');
    writeFileSync(file, WORKER);
    const { line } = await startNode(scope, ['router', ...FREE_PORTS]);
    await startNode(scope, ['worker', file, '--router', endpointIn(line, 'backend')]);
    to = ['--to', endpointIn(line, 'frontend')];
  });
  after(() => scope.close());

  /** A shell that runs the command as `"$@"`. */
  const shell = (script: string): readonly string[] => ['sh', '-c', script, 'sh'];

  it('call: reads the event data from standard input', async (t) => {
    const prefix = shell(`printf '{"text":"ä"}' | "$@"`);
    const { code, stdout } = await runCommand(t, ['call', 'pipe.echo', '-', ...to], { prefix });
    assert.deepEqual([code, stdout], [0, '{"text":"ä"}']);
  });

  it('call: rejects standard input that is not JSON', async (t) => {
    const prefix = shell(`printf '{"id":' | "$@"`);
    const { code, stderr } = await runCommand(t, ['call', 'pipe.echo', '-', ...to], { prefix });
    assert.equal(code, 2);
    assert.match(stderr, /^error: eventData: standard input is not valid JSON: /);
  });

  it('call: reports a full disk and fails', { skip: !existsSync('/dev/full') }, async (t) => {
    const prefix = shell('"$@" > /dev/full');
    const { code, stderr } = await runCommand(t, ['call', 'pipe.echo', '[1]', ...to], { prefix });
    assert.equal(code, 1);
    assert.match(stderr, /^error: cannot write to standard output: ENOSPC: .*$/m);
    assert.ok(!stderr.includes('    at '), stderr);
  });

  it('call: a stream ends when its reader closes the pipe', async (t) => {
    const prefix = shell('"$@" | head -n 2');
    const { code, stdout, stderr } = await runCommand(t, ['call', 'pipe.count', '--stream', ...to], {
      prefix,
    });
    assert.deepEqual([code, stdout, stderr], [0, '{"n":0}\n{"n":1}', '']);
  });
});
