/** Invalid command lines and their error messages. No node is started. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { COMMANDS, run } from '../../../src/cli/program.ts';
import { tempFolder } from '../../helpers/temp.ts';

interface Result {
  code: number;
  out: string;
  err: string;
}

async function zeromqGateway(line: string, env: Record<string, string> = {}, cwd = '/'): Promise<Result> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await run(line.split(' ').filter(Boolean), {
    cwd,
    env,
    out: (text) => out.push(text),
    err: (text) => err.push(text),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('command line', () => {
  it('prints version and help on standard output and exits 0', async () => {
    assert.match((await zeromqGateway('--version')).out, /^\d+\.\d+\.\d+$/);
    for (const line of [
      '--help',
      'help',
      'gateway --help',
      'help gateway',
      ...Object.keys(COMMANDS).map((name) => `${name} -h`),
    ]) {
      const { code, out, err } = await zeromqGateway(line);
      assert.equal(code, 0, line);
      assert.match(out, /^Usage: zeromq-gateway /, line);
      assert.equal(err, '', line);
    }
  });

  it('prints help and exits with 2 without a command', async () => {
    const { code, out, err } = await zeromqGateway('');
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, /^Usage: /);
  });

  it('states that the default addresses are local', async () => {
    const { out } = await zeromqGateway('up --help');
    const help = out.replaceAll(/\s+/g, ' ');
    for (const address of [
      '127.0.0.1',
      'tcp://127.0.0.1:5555',
      'tcp://127.0.0.1:5556',
      'tcp://127.0.0.1:5557',
    ]) {
      assert.ok(help.includes(`default: ${address}, this machine only`), address);
    }
  });

  const refused: [line: string, message: RegExp][] = [
    ['gatway', /unknown command 'gatway'\n\(Did you mean gateway\?\)/],
    ['gateway --prot 1', /unknown option '--prot'\n\(Did you mean --port\?\)/],
    ['gateway --port', /option '--port <PORT>' argument missing/],
    ['router extra', /too many arguments for 'router'/],
    ['worker', /error: files is missing: set FILES, ZMQ_GATEWAY_FILES, or worker\.files/],
    [
      'router --strategy random',
      /error: strategy: "random" \(from --strategy\) is invalid; allowed: least-loaded, /,
    ],
    ['worker --router tcp://127.0.0.1:1', /error: files is missing: set FILES/],
    [
      'worker missing.ts --router tcp://127.0.0.1:1',
      /error: files: "\/missing\.ts" \(from the argument FILES\)/,
    ],
    ['call', /error: event is missing: set EVENT/],
    ['call x {} --to tcp://127.0.0.1:0', /error: to: "tcp:\/\/127\.0\.0\.1:0" \(from --to\) is invalid/],
    [
      'call x {broken --to tcp://127.0.0.1:1',
      /error: eventData: "\{broken" \(from the argument EVENT-DATA\) is invalid; allowed: JSON, such as .*, or -/,
    ],
    ['up --workers /nowhere', /error: workers: "\/nowhere" \(from --workers\) is invalid; allowed: a folder/],
    ['up --config /nowhere.yaml', /error: config: "\/nowhere\.yaml" cannot be read/],
    [
      'gateway --router tcp://127.0.0.1:1 --port 0 --http {"limits":{"body":-1}}',
      /gateway settings: limits\.body: .*-1/,
    ],
  ];
  for (const [line, message] of refused) {
    it(`rejects: ${line}`, async () => {
      const { code, out, err } = await zeromqGateway(line, { ZMQ_GATEWAY_LOG_LEVEL: 'silent' });
      assert.match(err, message);
      assert.deepEqual([code, out], [2, '']);
    });
  }

  it('does not read a variable that means the frontend for one command and the backend for another', async () => {
    for (const [line, variable] of [
      ['gateway', 'ZMQ_GATEWAY_ROUTER_FRONTEND'],
      ['worker test/nothing.ts', 'ZMQ_GATEWAY_ROUTER_BACKEND'],
    ] as const) {
      const { code, err } = await zeromqGateway(line, { ZMQ_GATEWAY_ROUTER: 'tcp://127.0.0.1:1' });
      assert.equal(code, 2);
      assert.ok(
        err.includes(
          `ZMQ_GATEWAY_ROUTER is not read, because it would have several meanings: set ${variable}, or unset ZMQ_GATEWAY_ROUTER`,
        ),
        err,
      );
    }
  });

  it('names the source of an invalid value from the environment or the file', async (t) => {
    const cwd = tempFolder(t);
    writeFileSync(path.join(cwd, 'zeromq-gateway.yaml'), 'gateway:\n  host: "a b"\n');
    const { err } = await zeromqGateway('gateway --router tcp://127.0.0.1:1', { ZMQ_GATEWAY_PORT: 'x' }, cwd);
    assert.deepEqual(err.split('\n'), [
      'error: host: "a b" (from gateway.host in zeromq-gateway.yaml) is invalid; allowed: a host name or an IP address',
      'error: port: "x" (from ZMQ_GATEWAY_PORT) is invalid; allowed: a whole number from 0 to 65535',
    ]);
  });

  it('reads the file from ZMQ_GATEWAY_CONFIG, and prefers --config', async (t) => {
    const cwd = tempFolder(t);
    for (const name of ['a', 'b'])
      writeFileSync(path.join(cwd, `${name}.yaml`), `router: { queueLimit: ${name} }`);
    const env = { ZMQ_GATEWAY_CONFIG: 'a.yaml' };
    assert.match(
      (await zeromqGateway('router', env, cwd)).err,
      /queueLimit: "a" \(from router\.queueLimit in a\.yaml\)/,
    );
    assert.match((await zeromqGateway('router --config b.yaml', env, cwd)).err, /in b\.yaml\)/);
  });

  it('prints no colours without a terminal', async () => {
    for (const line of ['--help', 'gatway', 'router --strategy x']) {
      const { out, err } = await zeromqGateway(line, { FORCE_COLOR: '1' });
      assert.ok(!(out + err).includes('\u001b'), line);
    }
  });
});
