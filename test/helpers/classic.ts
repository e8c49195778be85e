/**
 * Classic peers for tests: Python processes from test/classic, driven over stdin and stdout.
 *
 * They need a Python with pyzmq (Debian: python3-zmq; another one by ZMQ_GATEWAY_PYTHON). Where there is none, tests
 * that use them are skipped and say so: `describe('…', NEEDS_CLASSIC, …)`.
 */
import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { emissions, eventually } from './eventually.ts';
import { type RunningProcess, startProcess } from './processes.ts';
import type { Cleanup } from './scope.ts';

const FOLDER = fileURLToPath(new URL('../classic/', import.meta.url));

/** The first Python that has pyzmq. */
export const PYTHON = [process.env['ZMQ_GATEWAY_PYTHON'], 'python3', '/usr/bin/python3'].find(
  (python) => python && spawnSync(python, ['-c', 'import zmq'], { stdio: 'ignore' }).status === 0,
);

/** Options for `describe` and `it` of whatever needs a classic peer. */
export const NEEDS_CLASSIC = { skip: PYTHON ? false : 'needs python3 with pyzmq (python3-zmq)' } as const;

/** One line that a peer wrote. */
export type Line = Readonly<Record<string, unknown>>;

interface HeartbeatOptions {
  /** Where to send heartbeats (client, worker) or to listen for them (router, server). */
  heartbeat?: string;
  /** Between heartbeats, ms. */
  interval?: number;
  /** A config.ini that keeps the node id. */
  config?: string;
}

/** Keys of a classic peer that connects: a key file, and the public key of the other side. */
export interface ClassicKeys {
  readonly file: string;
  readonly serverKey: string;
}

/** Starts a script of test/classic as a peer of the class given. */
async function launch<T extends ClassicPeer>(
  kind: new (process: RunningProcess) => T,
  cleanup: Cleanup,
  args: readonly [script: string, ...endpoints: string[]],
  { keys, ...options }: HeartbeatOptions & { keys?: ClassicKeys },
): Promise<T> {
  if (!PYTHON) throw new Error(NEEDS_CLASSIC.skip || 'no python');
  const [script, ...endpoints] = args;
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = startProcess(cleanup, PYTHON, [`${FOLDER}${script}`, ...endpoints, ...flags], {
    env: {
      PYTHONIOENCODING: 'utf-8',
      PYTHONDONTWRITEBYTECODE: '1',
      ...(keys && { CURVE_KEY: keys.file, CURVE_SERVERKEY: keys.serverKey }),
    },
  });
  const peer = new kind(child);
  await child.waitForLine(/"ready"/);
  return peer;
}

/** What every classic peer has. */
export class ClassicPeer {
  /** Lines it wrote so far. */
  readonly said: Line[] = [];
  protected readonly changes = new EventEmitter().setMaxListeners(0);

  constructor(readonly process: RunningProcess) {
    process.onLine((text) => {
      const line = JSON.parse(text) as Line;
      this.said.push(line);
      this.changes.emit('line', line);
    });
    process.exited.finally(() => this.changes.emit('line')).catch(() => undefined);
  }

  get pid(): number {
    return this.process.pid;
  }

  /** The `count`th line that matches, once it is there. */
  heard(matches: (line: Line) => boolean, count = 1): Promise<Line> {
    const look = () => this.said.filter(matches)[count - 1];
    return eventually(
      emissions(this.changes, 'line'),
      look,
      `line ${count} of that kind from a classic peer`,
    );
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.process.exited;
  }

  /** A text of its first line. */
  protected first(key: string): string {
    return String(this.said[0]?.[key]);
  }
}

/** A classic worker; it serves one request at a time, and what it does the event's name says (test/classic/handlers.py). */
export class ClassicWorker extends ClassicPeer {
  static start(
    cleanup: Cleanup,
    backend: string,
    options: HeartbeatOptions & { keys?: ClassicKeys } = {},
  ): Promise<ClassicWorker> {
    return launch(ClassicWorker, cleanup, ['worker.py', backend], options);
  }

  get identity(): string {
    return this.first('identity');
  }

  /** The `count`th request of this name, once the worker has it. */
  got(eventName: string, count = 1): Promise<Line> {
    return this.heard((line) => line['got'] === eventName, count);
  }
}

/** A classic server. */
export class ClassicServer extends ClassicPeer {
  static start(cleanup: Cleanup, endpoint: string, options: HeartbeatOptions = {}): Promise<ClassicServer> {
    return launch(ClassicServer, cleanup, ['server.py', endpoint], options);
  }

  get endpoint(): string {
    return this.first('ready');
  }

  get heartbeat(): string {
    return this.first('beats');
  }
}

/** A classic router: a blind proxy. */
export class ClassicRouter extends ClassicPeer {
  static start(
    cleanup: Cleanup,
    frontend: string,
    backend: string,
    options: HeartbeatOptions = {},
  ): Promise<ClassicRouter> {
    return launch(ClassicRouter, cleanup, ['router.py', frontend, backend], options);
  }

  get frontend(): string {
    return this.first('ready');
  }

  get backend(): string {
    return this.first('backend');
  }

  get heartbeat(): string {
    return this.first('beats');
  }
}

/** What a classic client got: a reply, or the reason why not. */
export interface ClassicReply {
  event?: string;
  data?: unknown;
  /** Frames of the reply as REQ hands it over. */
  frames?: number;
  error?: 'timeout' | 'unusable' | 'malformed';
}

/** Classic clients in one process, each with a REQ socket of its own. */
export class ClassicClients extends ClassicPeer {
  private orders = 0;

  static start(
    cleanup: Cleanup,
    endpoint: string,
    options: HeartbeatOptions & { clients?: number; timeout?: number; keys?: ClassicKeys } = {},
  ): Promise<ClassicClients> {
    return launch(ClassicClients, cleanup, ['client.py', endpoint], options);
  }

  get identities(): readonly string[] {
    return (this.said[0]?.['identities'] ?? []) as string[];
  }

  /** Sends a request by one of the clients (the first) and gives what came of it; `timeout` in ms. */
  async request(
    event: string,
    data: unknown,
    { client = 0, timeout }: { client?: number; timeout?: number } = {},
  ): Promise<ClassicReply> {
    const answer = await this.order({ client, event, data, timeout });
    return Object.fromEntries(Object.entries(answer).filter(([key]) => key !== 'id'));
  }

  /** Makes the socket of a client anew, as its user has to after a timeout. */
  async rebuild(client = 0): Promise<void> {
    await this.order({ client, rebuild: true });
  }

  private order(command: Record<string, unknown>): Promise<Line> {
    this.orders += 1;
    const id = this.orders;
    this.process.write(JSON.stringify({ id, ...command }));
    let answer: Line | undefined;
    const note = (line?: Line) => {
      if (line?.['id'] === id) answer = line;
    };
    return eventually(
      (listener) => {
        const onLine = (line?: Line) => {
          note(line);
          if (answer) listener();
        };
        this.changes.on('line', onLine);
        return () => this.changes.off('line', onLine);
      },
      () => answer,
      `the answer of a classic client to ${JSON.stringify(command).slice(0, 200)}`,
      30_000,
    );
  }
}
