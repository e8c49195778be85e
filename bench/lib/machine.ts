/** The machine and the software versions that were measured. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';

/** Machine and versions as shown in the reports. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly os: string;
  readonly node: string;
  readonly load: string;
  /** Versions of the software involved, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

/** The Python interpreter for which Debian installs python3-zmq. */
export const PYTHON = '/usr/bin/python3';

const ROOT = new URL('../../', import.meta.url);
const PEERS = new URL('../peers/', import.meta.url);

/** Describes this machine. `load` is the name of the load generator. */
export function describeMachine(load: string): Machine {
  const [cpu] = os.cpus();
  return {
    cpu: (cpu?.model ?? 'unknown').trim(),
    cores: os.cpus().length,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    os: `${os.type()} ${os.release()}`,
    node: process.version,
    load: load === 'wrk' ? `wrk ${find('wrk', ['-v'], /wrk\s+(?:debian\/)?(\S+)/) ?? ''}`.trim() : load,
    versions: { ...packageVersions(), ...programVersions() },
  };
}

function packageVersions(): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const [base, names] of [
    [ROOT, ['express', 'zeromq', 'ajv', 'joi']],
    [
      PEERS,
      [
        'fastify',
        'moleculer',
        'moleculer-web',
        'nats',
        '@nestjs/core',
        '@nestjs/microservices',
        'autocannon',
        'bullmq',
      ],
    ],
  ] as const) {
    for (const name of names) {
      const file = new URL(`node_modules/${name}/package.json`, base);
      if (!existsSync(file)) continue;
      versions[name] = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
    }
  }
  return versions;
}

function programVersions(): Record<string, string> {
  const versions: Record<string, string> = {};
  const nats = find('nats-server', ['--version'], /v(\d\S*)/);
  const pyzmq = find(PYTHON, ['-c', 'import zmq; print(zmq.__version__)'], /(\S+)/);
  const redis = find('redis-server', ['--version'], /v=(\S+)/);
  if (nats !== undefined) versions['nats-server'] = nats;
  if (redis !== undefined) versions['redis-server'] = redis;
  if (pyzmq !== undefined) versions['pyzmq'] = pyzmq;
  return versions;
}

/**
 * Returns the match of `pattern` in the output of a program, or undefined if the program is not
 * installed.
 */
function find(command: string, args: string[], pattern: RegExp): string | undefined {
  const { stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return typeof stdout === 'string' ? pattern.exec(stdout)?.[1] : undefined;
}
