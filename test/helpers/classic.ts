/**
 * Classic peers for tests: Python processes from test/classic, driven over stdin and stdout.
 *
 * They need a Python with pyzmq (Debian: python3-zmq). ZMQ_GATEWAY_PYTHON names another
 * interpreter. Without one, the tests that use classic peers are skipped: `describe('…',
 * NEEDS_CLASSIC, …)`.
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

/** Options of `describe` and `it` for tests that need a classic peer. */
export const NEEDS_CLASSIC = { skip: PYTHON ? false : 'needs python3 with pyzmq (python3-zmq)' } as const;

/** One line that a peer printed. */
export type Line = Readonly<Record<string, unknown>>;

interface HeartbeatOptions {
  /**
   * Endpoint to which a client or worker sends heartbeats, or on which a router or server receives
   * them.
   */
  heartbeat?: string;
  /** Interval between heartbeats, in ms. */
  interval?: number;
  /** A config.ini that stores the node id. */
  config?: string;
}

/** Keys of a classic peer that connects: its key file, and the public key of the other side. */
export interface ClassicKeys {
  readonly file: string;
  readonly serverKey: string;
}

/** Starts a script of test/classic as a peer of the given class. */
async function launch<T extends ClassicPeer>(
  kind: new (process: RunningProcess) => T,
  cleanup: Cleanup,
  args: readonly [script: string, ...endpoints: string[]],
  { keys, ...options }: HeartbeatOptions & { keys?: ClassicKeys },
): Promise<T> {
  if (!PYTHON) throw new Error(NEEDS_CLASSIC.skip || 'found no Python with pyzmq');
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

/** Base of all classic peers. */
export class ClassicPeer {
  /** Lines printed so far. */
  readonly lines: Line[] = [];
  protected readonly changes = new EventEmitter().setMaxListeners(0);

  constructor(readonly process: RunningProcess) {
    process.onLine((text) => {
      const line = JSON.parse(text) as Line;
      this.lines.push(line);
      this.changes.emit('line', line);
    });
    process.exited.finally(() => this.changes.emit('line')).catch(() => undefined);
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Resolves with the `count`th line that matches. */
  waitForLine(matches: (line: Line) => boolean, count = 1): Promise<Line> {
    const look = () => this.lines.filter(matches)[count - 1];
    return eventually(emissions(this.changes, 'line'), look, `matching line ${count} from a classic peer`);
  }

  /** Kills the process with SIGKILL. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.process.exited;
  }

  /** Returns a value of its first line as text. */
  protected first(key: string): string {
    return String(this.lines[0]?.[key]);
  }
}

/** A classic worker. It serves one request at a time. test/classic/handlers.py lists its events. */
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

  /** Resolves with the line of the `count`th request for this event. */
  received(eventName: string, count = 1): Promise<Line> {
    return this.waitForLine((line) => line['got'] === eventName, count);
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

/** A classic router: a proxy without state. */
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

/** The reply to a classic client, or the reason why it got none. */
export interface ClassicReply {
  event?: string;
  data?: unknown;
  /** Number of frames that the REQ socket received. */
  frames?: number;
  error?: 'timeout' | 'unusable' | 'malformed';
}

/** Several classic clients in one process, each with its own REQ socket. */
export class ClassicClients extends ClassicPeer {
  private commandCount = 0;

  static start(
    cleanup: Cleanup,
    endpoint: string,
    options: HeartbeatOptions & { clients?: number; timeout?: number; keys?: ClassicKeys } = {},
  ): Promise<ClassicClients> {
    return launch(ClassicClients, cleanup, ['client.py', endpoint], options);
  }

  get identities(): readonly string[] {
    return (this.lines[0]?.['identities'] ?? []) as string[];
  }

  /**
   * Sends a request from one of the clients, by default the first. Resolves with its outcome.
   * `timeout` is in ms.
   */
  async request(
    event: string,
    data: unknown,
    { client = 0, timeout }: { client?: number; timeout?: number } = {},
  ): Promise<ClassicReply> {
    const answer = await this.command({ client, event, data, timeout });
    return Object.fromEntries(Object.entries(answer).filter(([key]) => key !== 'id'));
  }

  /** Replaces the socket of a client, as its user must do after a timeout. */
  async rebuild(client = 0): Promise<void> {
    await this.command({ client, rebuild: true });
  }

  private command(command: Record<string, unknown>): Promise<Line> {
    this.commandCount += 1;
    const id = this.commandCount;
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
      `the reply of a classic client to ${JSON.stringify(command).slice(0, 200)}`,
    );
  }
}
