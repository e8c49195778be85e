/** The health checks of the image and of compose.yaml run `zeromq-gateway health`, as every role needs it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../docs/pages.ts';
import { runCommand } from '../helpers/command.ts';
import { scopeOf } from '../helpers/scope.ts';
import { HEALTH_COMMAND } from './checks.ts';

interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test?: readonly string[] };
}

const dockerfile = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8');
const template = readFileSync(path.join(ROOT, 'templates/project/_Dockerfile'), 'utf8');

/** The JSON array of an instruction of a Dockerfile. */
function arrayOf(instruction: RegExp, dockerfile: string): string[] {
  const [, json = '[]'] = instruction.exec(dockerfile) ?? [];
  return JSON.parse(json) as string[];
}

describe('health checks of containers', () => {
  it('image: the health check runs the command of the image, and every role has the listener it asks', () => {
    const check = arrayOf(/^ {2}CMD (\[.*"health".*\])$/m, dockerfile);
    assert.deepEqual(check, [...HEALTH_COMMAND, '--live']);
    assert.deepEqual(check.slice(0, 2), arrayOf(/^ENTRYPOINT (\[.*main\.js.*\])$/m, dockerfile));
    assert.match(dockerfile, /^ {2}ZMQ_GATEWAY_ADMIN=127\.0\.0\.1:9090 \\$/m);
  });

  it('image of a new project: the health check runs its command, and every role has the listener it asks', () => {
    const command = arrayOf(/^ENTRYPOINT (\[.*\])$/m, template);
    assert.deepEqual(arrayOf(/^ {2}CMD (\[.*"health".*\])$/m, template), [...command, 'health', '--live']);
    assert.match(template, /^ENV .*ZMQ_GATEWAY_ADMIN=127\.0\.0\.1:9090$/m);
  });

  it('compose.yaml: each service of the image is checked, and listens for the check', () => {
    const { services } = parse(readFileSync(path.join(ROOT, 'compose.yaml'), 'utf8'), { merge: true }) as {
      services: Record<string, Service>;
    };
    const ours = Object.entries(services).filter(([, { image }]) => image === 'zeromq-gateway');
    assert.deepEqual(
      ours.map(([name]) => name),
      ['router', 'gateway', 'echo', 'tasks'],
    );
    for (const [name, { healthcheck, environment }] of ours) {
      assert.deepEqual(healthcheck?.test, ['CMD', ...HEALTH_COMMAND], name);
      assert.match(environment?.['ZMQ_GATEWAY_ADMIN'] ?? '', /:9090$/, name);
    }
  });

  it('the commands of the health checks are valid', async (t) => {
    // The port of no listener: the check fails because nothing answers, not because of its arguments.
    const env = { ZMQ_GATEWAY_ADMIN: '0.0.0.0:1' };
    for (const args of [['health'], ['health', '--live']]) {
      const { code, stderr } = await runCommand(scopeOf(t), args, { env });
      assert.equal(code, 1, stderr);
      assert.match(stderr, /http:\/\/127\.0\.0\.1:1\/\w+ does not answer/);
    }
  });
});
