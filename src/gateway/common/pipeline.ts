/**
 * Pipelining: requests that arrive on a connection before earlier ones are answered (RFC 9112,
 * 9.3.2).
 *
 * Safe requests that follow safe requests run concurrently, up to a limit. Every other request
 * waits until all earlier ones are answered. So no request runs after a response that closes the
 * connection (RFC 9112, 9.6), and one connection cannot use up the limit of the gateway. A request
 * without earlier ones costs nothing here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Ring } from '../../core/collections/ring.ts';

/** A pipelined request: waiting, or running after earlier ones. */
interface Turn {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly start: () => void;
}

const SAFE: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** The response that currently owns a connection. Node keeps it on the socket. */
function currentOn(socket: Socket): ServerResponse<IncomingMessage> | undefined {
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

/** Whether a response closes its connection. Known once its head is written. */
export function isLast(res: ServerResponse): boolean {
  return (res as { _last?: boolean })._last === true;
}

/** The requests that follow the current one of a connection. */
class Pipeline {
  readonly turns = new Ring<Turn>();
  /** How many of the first requests run. */
  private running = 0;
  private isPaused = false;

  constructor(
    private readonly socket: Socket,
    private readonly limit: number,
  ) {}

  add(turn: Turn): void {
    this.turns.push(turn);
    // Node assigns the connection to one response after the other, until one closes it.
    turn.res.once('socket', () => this.advance());
    this.fill();
    if (this.isPaused || this.waiting < this.limit) return;
    this.isPaused = true;
    this.socket.pause();
    this.socket.on('resume', this.onResume);
  }

  private get waiting(): number {
    return this.turns.length - this.running;
  }

  /** Node resumes the socket when it discards the rest of a request. The pause must continue. */
  private readonly onResume = (): void => {
    if (this.isPaused) this.socket.pause();
  };

  /** Called when the first request gets the connection. */
  private advance(): void {
    const turn = this.turns.shift();
    if (this.running > 0) this.running -= 1;
    else turn?.start();
    this.fill();
    if (!this.isPaused || this.waiting > this.limit / 2) return;
    this.isPaused = false;
    this.socket.off('resume', this.onResume);
    this.socket.resume();
  }

  /** Starts safe requests if all earlier ones are safe and keep the connection open. */
  private fill(): void {
    let before = currentOn(this.socket);
    if (before === undefined || !SAFE.has(before.req.method)) return;
    if (this.running > 0) before = this.turns.at(this.running - 1)?.res;
    while (this.running + 1 < this.limit && before !== undefined && !isLast(before)) {
      const next = this.turns.at(this.running);
      if (next === undefined || !SAFE.has(next.req.method)) return;
      this.running += 1;
      before = next.res;
      next.start();
    }
  }
}

/** The pipelines of all connections of a gateway. */
export class Pipelines {
  private readonly pipelines = new WeakMap<Socket, Pipeline>();
  private readonly known = new WeakSet<ServerResponse>();
  private readonly closing = new WeakSet<Socket>();

  /** @param limit maximum number of concurrent requests of one connection. */
  constructor(private readonly limit: number) {}

  /**
   * Defers a request whose response does not own its connection.
   * @param start called when the request may run; not called if the connection closes first.
   * @returns false if the request may run at once.
   */
  defer(req: IncomingMessage, res: ServerResponse, start: () => void): boolean {
    const { socket } = req;
    if (this.known.has(res) || currentOn(socket) === res) return !socket.writable;
    if (!socket.writable || this.closing.has(socket)) return true;
    if (currentOn(socket) === undefined) return false;
    this.known.add(res);
    let pipeline = this.pipelines.get(socket);
    if (pipeline === undefined) {
      pipeline = new Pipeline(socket, this.limit);
      this.pipelines.set(socket, pipeline);
    }
    pipeline.add({ req, res, start });
    return true;
  }

  /** The response of the last request of a connection, while it is not answered. */
  lastOn(socket: Socket): ServerResponse<IncomingMessage> | undefined {
    const turns = this.pipelines.get(socket)?.turns;
    return turns?.at(turns.length - 1)?.res ?? currentOn(socket);
  }

  /**
   * Rejects all further requests of a connection. Earlier ones are still answered.
   * @returns false if the connection is closing already.
   */
  close(socket: Socket): boolean {
    if (this.closing.has(socket)) return false;
    this.closing.add(socket);
    return true;
  }
}
