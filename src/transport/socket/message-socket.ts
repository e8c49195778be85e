/**
 * A ROUTER or DEALER socket with the discipline that zeromq.js asks for, in one place:
 *
 * - one reader, for the whole life of the socket;
 * - sends never overlap: zeromq.js throws EBUSY while a send waits, and makes one wait after 512 in a turn;
 * - no send blocks (ZMQ_SNDTIMEO 0) and none vanishes (ZMQ_ROUTER_MANDATORY): a send that is refused is an outcome,
 *   told to whoever sent;
 * - high-water marks are finite.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { context, Dealer, Router } from 'zeromq';
import { type Deferred, withResolvers } from '../../core/collections/deferred.ts';
import { Ring } from '../../core/collections/ring.ts';
import { toError, ZeroMQSocketClosed, ZeroMQSocketInvalid } from '../../core/messages/errors.ts';
import { MAX_MESSAGE_BYTES } from '../../wire/limits.ts';
import {
  type ZeroMQConnection,
  ZeroMQINPROCConnection,
  ZeroMQTCPConnection,
} from '../addressing/connection.ts';
import { AdmissionGate, type AuthenticatedPeer } from '../curve/admission.ts';
import { CurveClient } from '../curve/curve-options.ts';
import { keepAlive } from '../libzmq/heartbeat-options.ts';
import { ZeroMQSocketMonitor } from '../libzmq/socket-monitor.ts';
import { bindSocket, codeOf } from './bind.ts';
import { frameGc } from './frame-gc.ts';
import type { BoundIpcFile } from './ipc-file.ts';
import { PeerNotices } from './peer-notices.ts';
import { Reconnector } from './reconnector.ts';
import type { MessageSocketOptions, Refusal, SendHandler, SocketReceiver } from './socket-options.ts';

/**
 * Sockets of a process (ZMQ_MAX_SOCKETS). Each of ours takes three, with its monitor: libzmq's default of 1,023 is soon
 * used up by pools towards classic routers. It counts from the first socket on.
 */
const MAX_SOCKETS = 16_384;
if (context.maxSockets < MAX_SOCKETS) context.maxSockets = MAX_SOCKETS;

/** High-water marks, in messages for each peer: what a peer of a ROUTER that never reads may hold of our memory. */
const ROUTER_MARK = 100;
const DEALER_MARK = 1000;

/** ZMQ_HANDSHAKE_IVL: how long a connection has for its handshake, in ms. */
const HANDSHAKE_TIME = 10_000;

/** Between looks for an INPROC peer that says goodbye, in ms. */
const PROBE_INTERVAL = 20;

interface Outgoing {
  readonly frames: Buffer[];
  readonly handler: SendHandler;
}

export type { MessageSocketOptions, Refusal, SendHandler, SocketReceiver };

/** One ROUTER or DEALER; see the head of this file. */
export class MessageSocket {
  /** Events of this socket (ZMQ_EVENT_*). */
  readonly monitor: ZeroMQSocketMonitor;
  private readonly notices: PeerNotices | undefined;
  /** Messages that came so far. */
  received = 0;

  private readonly raw: Router | Dealer;
  private readonly queue = new Ring<Outgoing>();
  private closed = false;
  private waiting = false;
  private last: Promise<void> = Promise.resolve();
  private reading = false;
  private inproc = false;
  private paused: Deferred<void> | undefined;
  private revival: Reconnector | undefined;
  private gate: AdmissionGate | undefined;
  private ipcFile: BoundIpcFile | undefined;

  constructor(
    private readonly options: MessageSocketOptions,
    private readonly receiver: SocketReceiver,
  ) {
    this.raw = options.type === 'router' ? new Router({ mandatory: true }) : new Dealer();
    this.raw.sendTimeout = 0;
    this.raw.linger = options.linger ?? 1000;
    this.raw.maxMessageSize = options.maxMessageSize ?? MAX_MESSAGE_BYTES;
    const mark = options.type === 'router' ? ROUTER_MARK : DEALER_MARK;
    this.raw.sendHighWaterMark = options.sendHighWaterMark ?? mark;
    this.raw.receiveHighWaterMark = options.receiveHighWaterMark ?? mark;
    keepAlive(this.raw, options.pings ?? 'often');
    this.raw.handshakeInterval = HANDSHAKE_TIME;
    if (options.curve instanceof CurveClient) options.curve.applyTo(this.raw);
    if (options.routingId !== undefined) this.raw.routingId = options.routingId;
    if (this.raw instanceof Router && (options.notify || options.curve))
      this.notices = PeerNotices.on(this.raw, options.handover === true || options.curve !== undefined);
    this.monitor = new ZeroMQSocketMonitor(this.raw.events);
  }

  /**
   * Binds, and starts to read.
   *
   * @returns the endpoint in use, with the port that was picked where 0 was asked for.
   * @throws ZeroMQSocketInvalid when the address is in use, not of this host or not writable.
   */
  async bind(connection: ZeroMQConnection): Promise<string> {
    if (connection instanceof ZeroMQTCPConnection && connection.isIPv6(true)) this.raw.ipv6 = true;
    this.inproc = connection instanceof ZeroMQINPROCConnection;
    if (!this.inproc) await this.openGate();
    const { endpoint, file } = await bindSocket(this.raw, connection, () => this.closed);
    this.ipcFile = file;
    this.startReading();
    return endpoint;
  }

  /**
   * Connects, in the background and again whenever the connection is lost, and starts to read.
   *
   * @throws ZeroMQSocketInvalid when the address is not usable at all.
   */
  connect(connection: ZeroMQConnection): void {
    const endpoint = connection.getConnectionString(false);
    if (connection instanceof ZeroMQTCPConnection && connection.isIPv6(false)) this.raw.ipv6 = true;
    try {
      this.raw.connect(endpoint);
    } catch (cause) {
      throw new ZeroMQSocketInvalid(codeOf(cause), `cannot connect ${endpoint}: ${toError(cause).message}`, {
        cause,
      });
    }
    this.revival ??= new Reconnector(this.monitor, () => this.reconnect(connection));
    this.startReading();
  }

  /**
   * Gives a connection up, with all that waits on it, and connects anew. For peers that take nothing more, and for
   * INPROC, where libzmq does not connect again by itself.
   */
  reconnect(connection: ZeroMQConnection): void {
    if (this.closed) return;
    this.giveUp(connection);
    this.connect(connection);
  }

  /**
   * Gives a lost connection up, with all that waits on it, and connects anew after a while: libzmq would send on the next
   * connection what was meant for this one. (ZMQ_IMMEDIATE would not, but loses what the peer sent before the end.)
   *
   * @param routingId for the new connection: the other side may not know yet that the old one is lost, and would not
   *   hear a second one of the same identity.
   */
  renew(connection: ZeroMQConnection, routingId: string): void {
    if (this.closed) return;
    this.giveUp(connection);
    this.raw.routingId = routingId;
    this.revival?.renew();
  }

  /** Whether a connection was given up, and the next one is not yet begun. */
  get renewing(): boolean {
    return this.revival?.renewing === true;
  }

  /**
   * Resolves when nobody is there any more, which libzmq does not tell of INPROC peers.
   *
   * @param probe a message that the peer drops while it is there.
   */
  async outlivePeer(probe: Buffer[]): Promise<void> {
    while (!this.closed && (await this.deliver(probe)) === undefined) {
      await delay(PROBE_INTERVAL, undefined, { ref: false });
    }
  }

  /** Who is behind a peer of a ROUTER that is bound with CURVE, by its routing id in Latin-1. */
  guest(key: string): AuthenticatedPeer | undefined {
    return this.gate?.guest(key);
  }

  /** Whether every peer is told of when it comes and goes: not over INPROC, nor where libzmq has no draft options. */
  get notifies(): boolean {
    return this.notices !== undefined && !this.inproc;
  }

  /** Whether peers are known by their keys. */
  get guarded(): boolean {
    return this.gate !== undefined;
  }

  /** Stops reading: what comes waits in libzmq, up to the high-water marks, and then at the senders. */
  pause(): void {
    this.paused ??= withResolvers();
  }

  /** Reads on. */
  resume(): void {
    this.paused?.resolve();
    this.paused = undefined;
  }

  /** Sends a message, in order; `handler` hears of it when it is refused. */
  send(frames: Buffer[], handler: SendHandler): void {
    if (this.closed) handler.refused(frames, 'CLOSED');
    else if (this.waiting || !this.trySend(frames, handler)) this.enqueue(frames, handler);
  }

  /** Sends a message and tells what became of it: undefined when libzmq took it. */
  deliver(frames: Buffer[]): Promise<Refusal | undefined> {
    return new Promise((resolve) => {
      this.send(frames, { refused: (_frames, reason) => resolve(reason), sent: () => resolve(undefined) });
    });
  }

  /** Closes the socket, once it has handed to libzmq what waits; that goes out within the linger time. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.revival?.stop();
    this.gate?.close();
    this.resume();
    this.monitor.close();
    if (!this.waiting) this.release();
  }

  private giveUp(connection: ZeroMQConnection): void {
    const { linger } = this.raw;
    this.raw.linger = 0; // the socket's own at this moment is what counts for the connection
    try {
      this.raw.disconnect(connection.getConnectionString(false));
    } catch {
      // There was no connection any more.
    }
    this.raw.linger = linger;
  }

  /** A send may be under way still: zeromq.js puts some off to the next turn. */
  private release(): void {
    void this.last.then(() => {
      this.ipcFile?.remove();
      this.raw.close();
    });
  }

  private async openGate(): Promise<void> {
    const { curve } = this.options;
    if (curve === undefined || curve instanceof CurveClient || this.gate !== undefined) return;
    this.gate = new AdmissionGate(this.raw, curve, this.notices !== undefined, this.monitor, {
      gone: (key) => this.receiver.gone?.(key),
      rightsChanged: (key) => this.receiver.rightsChanged?.(key),
    });
    await this.gate.open();
  }

  /** Hands a message to libzmq; false when zeromq.js is busy with another. */
  private trySend(frames: Buffer[], handler: SendHandler): boolean {
    let sent: Promise<void>;
    try {
      sent = this.raw.send(frames);
    } catch (error) {
      if (codeOf(error) === 'EBUSY') return false;
      tell(() => handler.refused(frames, refusalOf(error)));
      return true;
    }
    const failed = (error: unknown): void => tell(() => handler.refused(frames, refusalOf(error)));
    this.last = handler.sent === undefined ? sent.catch(failed) : sent.then(() => handler.sent?.(), failed);
    return true;
  }

  private enqueue(frames: Buffer[], handler: SendHandler): void {
    this.queue.push({ frames, handler });
    if (this.waiting) return;
    this.waiting = true;
    void this.last.then(() => this.drainQueue());
  }

  private drainQueue(): void {
    this.waiting = false;
    for (let item = this.queue.shift(); item !== undefined; item = this.queue.shift()) {
      if (!this.trySend(item.frames, item.handler)) {
        this.queue.unshift(item);
        this.waiting = true;
        void this.last.then(() => this.drainQueue());
        return;
      }
    }
    if (this.closed) this.release();
  }

  private startReading(): void {
    if (this.reading) return;
    this.reading = true;
    void this.read();
  }

  private async read(): Promise<void> {
    while (!this.closed) {
      if (this.paused !== undefined) await this.paused.promise;
      let frames: Buffer[];
      try {
        frames = await this.raw.receive();
      } catch (error) {
        if (!this.closed) this.unreadable(error);
        return;
      }
      if (this.closed) return;
      frameGc.note(frames);
      this.take(frames);
    }
  }

  private noticed(notice: 'came' | 'gone', identity: Buffer | undefined): void {
    if (identity === undefined) return;
    const key = identity.toString('latin1');
    if (notice === 'gone') {
      if (this.gate?.left(key) !== false) this.receiver.gone?.(key);
    } else if (this.gate?.came(key, identity) !== false) this.receiver.came?.(key, identity);
  }

  /** libzmq gives nothing more: a socket that only sends would deceive its owner. */
  private unreadable(cause: unknown): void {
    const message = `a socket can no longer be read: ${toError(cause).message}`;
    process.emitWarning(new ZeroMQSocketClosed(codeOf(cause), message, { cause }));
    this.close();
  }

  /** Whatever a message does to its receiver, the next one is read. */
  private take(frames: Buffer[]): void {
    this.received += 1;
    try {
      const notice = this.notices?.read(frames);
      if (notice !== undefined) this.noticed(notice, frames[0]);
      else if (this.gate?.passes(frames) !== false) this.receiver.message(frames);
    } catch (error) {
      process.emitWarning(toError(error), { code: 'ZEROMQ_GATEWAY_RECEIVER' });
    }
  }
}

/** Calls a handler; one that fails must not stop the messages behind its own. */
function tell(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.emitWarning(toError(error), { code: 'ZEROMQ_GATEWAY_SENDER' });
  }
}

function refusalOf(error: unknown): Refusal {
  const code = codeOf(error);
  return code === 'EAGAIN' || code === 'EHOSTUNREACH' ? code : 'CLOSED';
}
