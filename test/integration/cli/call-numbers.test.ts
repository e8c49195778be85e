/** Numbers in `call`: their digits are sent and printed unchanged. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ReplyError } from '../../../src/index.ts';
import { startNode } from '../../helpers/command.ts';
import { rawRouter } from '../../helpers/raw.ts';
import { runCommandHere } from '../../helpers/run-command-here.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { startServer } from '../framework.ts';

const NUMBERS = '{"id":9007199254740993,"big":1e400,"price":1.0,"small":1E-400,"list":[-0,0.10]}';

/** A classic server on frame level that returns the bytes it receives. */
async function echo(t: TestContext): Promise<{ to: string[]; bodies: string[] }> {
  const { socket, endpoint } = await rawRouter(scopeOf(t));
  const bodies: string[] = [];
  const answer = async (): Promise<void> => {
    const [identity = '', delimiter = '', event = '', body = Buffer.alloc(0)] = await socket.receive();
    bodies.push(String(body));
    await socket.send([identity, delimiter, event, body]);
  };
  answer().catch((error: unknown) => bodies.push(String(error)));
  return { to: ['--to', endpoint, '--classic'], bodies };
}

describe('call: numbers', () => {
  it('from an argument are sent and printed unchanged', async (t) => {
    const { to, bodies } = await echo(t);
    const { code, stdout, stderr } = await runCommandHere(['call', 'echo', NUMBERS, ...to]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(bodies, [NUMBERS]);
    assert.equal(stdout, NUMBERS);
  });

  it('from the environment keep their digits', async (t) => {
    const { to, bodies } = await echo(t);
    const env = { ZMQ_GATEWAY_EVENT_DATA: '[9007199254740993,1e400]' };
    assert.equal((await runCommandHere(['call', 'echo', ...to], { env })).stdout, env.ZMQ_GATEWAY_EVENT_DATA);
    assert.deepEqual(bodies, [env.ZMQ_GATEWAY_EVENT_DATA]);
  });

  for (const [name, text] of [
    ['zeromq-gateway.json', '{"call":{"eventData":{"id":9007199254740993,"list":[1e400,2]}}}'],
    ['zeromq-gateway.yaml', 'call:\n  eventData:\n    id: 9007199254740993\n    list: [1e400, 2]\n'],
  ] as const) {
    it(`from ${name} keep their digits`, async (t) => {
      const { to, bodies } = await echo(t);
      const cwd = tempFolder(t);
      writeFileSync(path.join(cwd, name), text);
      const expected = '{"id":9007199254740993,"list":[1e400,2]}';
      assert.equal((await runCommandHere(['call', 'echo', ...to], { cwd })).stdout, expected);
      assert.deepEqual(bodies, [expected]);
    });
  }

  it('that JSON cannot represent are rejected in YAML', async (t) => {
    const cwd = tempFolder(t);
    writeFileSync(path.join(cwd, 'zeromq-gateway.yaml'), 'call: { eventData: { a: .inf } }\n');
    const { code, stderr } = await runCommandHere(['call', 'echo', '--to', 'tcp://127.0.0.1:1'], { cwd });
    assert.equal(code, 2);
    assert.match(stderr, /from call\.eventData in zeromq-gateway\.yaml\) is invalid; allowed: JSON/);
  });

  it("keep their digits in the details of a worker's error", async (t) => {
    const refuse = (): never => {
      throw new ReplyError(409, 'LOCKED', 'it is locked', { details: { by: 9007199254740993n } });
    };
    const { endpoint } = await startServer(scopeOf(t), { handlers: { refuse } });
    const { code, stderr } = await runCommandHere(['call', 'refuse', '--to', endpoint]);
    assert.equal(code, 1);
    assert.equal(stderr.trim().split('\n')[1], '{"by":9007199254740993}');
  });
});

const kinds = (event: string, largeIntegers: string): string => `
import { defineWorker } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
export default defineWorker({
  largeIntegers: '${largeIntegers}',
  handlers: { '${event}': ({ n }) => typeof n + ' ' + n },
});
`;

describe('large integers of worker files', () => {
  it('reach the handlers of the command server as configured in the files', async (t) => {
    const cwd = tempFolder(t);
    writeFileSync(path.join(cwd, 'a.mjs'), kinds('a', 'bigint'));
    writeFileSync(path.join(cwd, 'b.mjs'), kinds('b', 'bigint'));
    const { line } = await startNode(
      scopeOf(t),
      ['server', 'a.mjs', 'b.mjs', '--bind', 'tcp://127.0.0.1:0'],
      {
        cwd,
      },
    );
    const to = /tcp:\S+/.exec(line)?.[0] ?? '';
    const { stdout } = await runCommandHere(['call', 'b', '{"n":9007199254740993}', '--to', to]);
    assert.equal(stdout, '"bigint 9007199254740993"');
  });

  it('must have one representation in a server', async (t) => {
    const cwd = tempFolder(t);
    writeFileSync(path.join(cwd, 'a.mjs'), kinds('a', 'bigint'));
    writeFileSync(path.join(cwd, 'b.mjs'), kinds('b', 'number'));
    const args = ['server', 'a.mjs', 'b.mjs', '--bind', 'tcp://127.0.0.1:0'];
    const { code, stderr } = await runCommandHere(args, { cwd });
    assert.equal(code, 2);
    assert.match(stderr, /files: the values of largeIntegers differ/);
  });
});
