/**
 * Requests that come on a connection before those in front of them are answered (pipelining, RFC 9112, 9.3.2).
 *
 * Safe requests behind safe ones run at the same time, up to a limit. Every other request waits until the ones in front
 * of it are answered. So nothing runs behind an answer that closes the connection (RFC 9112, 9.6), and one connection
 * cannot take all the places of a gateway. A request that comes alone costs nothing here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Ring } from '../../core/collections/ring.ts';

/** A request that waits, or runs behind others. */
interface Turn {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly start: () => void;
}

const SAFE: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** The response that has a connection now. Node keeps it on the socket. */
function currentOn(socket: Socket): ServerResponse<IncomingMessage> | undefined {
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

/** Whether a response, once its head is written, is the last one of its connection. */
export function isLast(res: ServerResponse): boolean {
  return (res as { _last?: boolean })._last === true;
}

/** The requests behind the current one of a connection. */
class Pipeline {
  readonly turns = new Ring<Turn>();
  /** How many of them run, from the first on. */
  private running = 0;
  private isPaused = false;

  constructor(
    private readonly socket: Socket,
    private readonly limit: number,
  ) {}

  add(turn: Turn): void {
    this.turns.push(turn);
    // Node hands the connection to each response in turn, and to none behind one that closes it.
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

  /** Reading goes on with each request that Node drops the rest of; here it waits for the requests that were read. */
  private readonly onResume = (): void => {
    if (this.isPaused) this.socket.pause();
  };

  /** The first one has the connection now. */
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

  /** Starts safe requests behind the current one, if all before them are safe and leave the connection open. */
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

  /** @param limit requests of one connection that run at a time. */
  constructor(private readonly limit: number) {}

  /**
   * Takes in a request whose response does not have its connection yet, or not any longer.
   * @param start called when it may run; never, if the connection closes before.
   * @returns false: the request may run at once.
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

  /** The response of the request that came last on a connection, as long as it is not answered. */
  lastOn(socket: Socket): ServerResponse<IncomingMessage> | undefined {
    const turns = this.pipelines.get(socket)?.turns;
    return turns?.at(turns.length - 1)?.res ?? currentOn(socket);
  }

  /**
   * Takes nothing more from a connection; what came before is answered.
   * @returns false: it is closing already.
   */
  close(socket: Socket): boolean {
    if (this.closing.has(socket)) return false;
    this.closing.add(socket);
    return true;
  }
}
