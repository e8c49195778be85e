/**
 * HTTP load from wrk if it is installed, otherwise from autocannon. The target is always on the
 * loopback interface, and the duration is always limited.
 */
import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The requests to send. */
export interface HttpLoad {
  /** Origin of the server, such as `http://127.0.0.1:8080`. */
  readonly origin: string;
  /** Path of the request. If it contains `%d`, `paths` paths numbered from 0 are used in turn. */
  readonly path: string;
  readonly paths?: number;
  /** Body of POST requests. Without a body, GET requests are sent. */
  readonly body?: string;
  /** Header fields. `%u` in a value becomes a value that no other request has. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
}

/** Result of a load run. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** In milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Failed connections, missing replies, and replies other than success. */
  readonly errors: number;
}

/** A load generator. */
export interface LoadTool {
  readonly name: string;
  run(load: HttpLoad): Promise<LoadResult>;
}

const run = promisify(execFile);
const LUA = fileURLToPath(new URL('wrk.lua', import.meta.url));
const PEER_MODULES = new URL('../peers/node_modules/', import.meta.url);
const AUTOCANNON = fileURLToPath(new URL('autocannon/autocannon.js', PEER_MODULES));
const EXTRA_TIME = 20_000;

const wrk: LoadTool = {
  name: 'wrk',
  async run({ origin, path, paths = 1, body = '', headers = {}, connections, seconds }) {
    const method = body === '' ? 'GET' : 'POST';
    const options = [
      `-t1`,
      `-c${connections}`,
      `-d${Math.ceil(seconds)}s`,
      '--timeout',
      '10s',
      '-s',
      LUA,
      origin,
    ];
    const args = [method, path, String(paths), body, randomUUID(), ...Object.entries(headers).flat()];
    const { stdout } = await run('wrk', [...options, '--', ...args], {
      timeout: seconds * 1000 + EXTRA_TIME,
    });
    const result = /^RESULT (.*)$/m.exec(stdout)?.[1];
    if (result === undefined) throw new Error(`wrk printed no result:\n${stdout}`);
    return JSON.parse(result) as LoadResult;
  },
};

interface AutocannonResult {
  readonly requests: { readonly total: number };
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly duration: number;
  readonly errors: number;
  readonly non2xx: number;
}

const autocannon: LoadTool = {
  name: 'autocannon',
  async run({ origin, path, paths = 1, body, headers = {}, connections, seconds }) {
    const { default: cannon } = (await import(AUTOCANNON)) as {
      default: (options: object) => Promise<AutocannonResult>;
    };
    const request = body === undefined ? {} : { method: 'POST', body };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const requests = Array.from({ length: paths }, (_, i) => ({
      ...request,
      setupRequest: (each: object) => ({ ...each, headers: { ...type, ...withUnique(headers) } }),
      path: path.replace('%d', String(i)),
    }));
    const result = await cannon({ url: origin, connections, duration: Math.ceil(seconds), requests });
    const { p50, p99 } = result.latency;
    const errors = result.errors + result.non2xx;
    return { requests: result.requests.total, seconds: result.duration, p50, p99, errors };
  },
};

/** Replaces `%u` in the values of header fields by a value that no other request has. */
export function withUnique(headers: Readonly<Record<string, string>>): Record<string, string> {
  const values = Object.entries(headers).map(([name, value]) => [name, value.replace('%u', randomUUID())]);
  return Object.fromEntries(values) as Record<string, string>;
}

/** Returns the load generator available on this machine, or undefined if there is none. */
export function findLoadTool(): LoadTool | undefined {
  if (hasCommand('wrk')) return wrk;
  return existsSync(AUTOCANNON) ? autocannon : undefined;
}

/** Whether a program is installed. */
export function hasCommand(name: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', name], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
