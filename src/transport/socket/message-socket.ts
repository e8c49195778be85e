/**
 * A ROUTER or DEALER socket that follows the rules of zeromq.js:
 *
 * - One reader serves the socket for its whole life.
 * - Sends never overlap (`SendQueue`).
 * - No send blocks (ZMQ_SNDTIMEO 0) and none is lost silently (ZMQ_ROUTER_MANDATORY). If libzmq
 *   refuses a message, its sender receives the reason.
 * - High-water marks are finite.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { context, Dealer, Router } from 'zeromq';
import { type Deferred, withResolvers } from '../../core/collections/deferred.ts';
import { toError, ZeroMQSocketClosed, ZeroMQSocketInvalid } from '../../core/messages/errors.ts';
import { MAX_MESSAGE_BYTES } from '../../wire/limits.ts';
import {
  type ZeroMQConnection,
  ZeroMQINPROCConnection,
  ZeroMQTCPConnection,
} from '../addressing/connection.ts';
import { Admission } from '../curve/admission.ts';
import type { AuthenticatedPeer } from '../curve/authenticated-peer.ts';
import { type CurveChoice, CurveClient } from '../curve/curve-options.ts';
import { setHeartbeatOptions } from '../libzmq/heartbeat-options.ts';
import { ZeroMQSocketMonitor } from '../libzmq/socket-monitor.ts';
import { bindSocket, codeOf } from './bind.ts';
import { noteFrames } from './frame-gc.ts';
import type { BoundIpcFile } from './ipc-file.ts';
import { PeerNotices } from './peer-notices.ts';
import { Reconnector } from './reconnector.ts';
import { SendQueue } from './send-queue.ts';
import type { MessageSocketOptions, Refusal, SendHandler, SocketReceiver } from './socket-options.ts';

/**
 * Maximum number of sockets in a process (ZMQ_MAX_SOCKETS). Each socket here uses three, with its
 * monitor; pools to classic routers soon exhaust the default of 1,023. It is fixed by the first
 * socket.
 */
const MAX_SOCKETS = 16_384;
if (context.maxSockets < MAX_SOCKETS) context.maxSockets = MAX_SOCKETS;

/** High-water mark of a ROUTER, in messages per peer: limits memory for peers that never read. */
const ROUTER_MARK = 100;
const DEALER_MARK = 1000;

/** ZMQ_HANDSHAKE_IVL: the time limit of a handshake, in ms. */
const HANDSHAKE_TIME = 10_000;

/** Interval of probes of an INPROC peer, in ms. */
const PROBE_INTERVAL = 20;

export type { MessageSocketOptions, Refusal, SendHandler, SocketReceiver };

/** A ROUTER or DEALER socket; see the head of this file. */
export class MessageSocket {
  /** Events of this socket (ZMQ_EVENT_*). */
  readonly monitor: ZeroMQSocketMonitor;
  private readonly notices: PeerNotices | undefined;
  /** Number of messages received so far. */
  received = 0;

  private readonly raw: Router | Dealer;
  private readonly sends: SendQueue;
  private closed = false;
  private reading = false;
  private inproc = false;
  private paused: Deferred<void> | undefined;
  private reconnector: Reconnector | undefined;
  /** The keys for connections to a node with CURVE. */
  private readonly keys: CurveChoice | undefined;
  private admission: Admission | undefined;
  private ipcFile: BoundIpcFile | undefined;

  constructor(
    private readonly options: MessageSocketOptions,
    private readonly receiver: SocketReceiver,
  ) {
    this.raw = options.type === 'router' ? new Router({ mandatory: true }) : new Dealer();
    this.sends = new SendQueue(this.raw);
    this.raw.sendTimeout = 0;
    this.raw.linger = options.linger ?? 1000;
    this.raw.maxMessageSize = options.maxMessageSize ?? MAX_MESSAGE_BYTES;
    const mark = options.type === 'router' ? ROUTER_MARK : DEALER_MARK;
    this.raw.sendHighWaterMark = options.sendHighWaterMark ?? mark;
    this.raw.receiveHighWaterMark = options.receiveHighWaterMark ?? mark;
    setHeartbeatOptions(this.raw, options.pings ?? 'often');
    this.raw.handshakeInterval = HANDSHAKE_TIME;
    if (options.curve instanceof CurveClient) this.keys = options.curve.keysFor(this.raw);
    if (options.routingId !== undefined) this.raw.routingId = options.routingId;
    if (this.raw instanceof Router && (options.notify || options.curve))
      this.notices = PeerNotices.on(this.raw, options.handover === true || options.curve !== undefined);
    this.monitor = new ZeroMQSocketMonitor(this.raw.events);
    const { keys } = this;
    if (keys === undefined) return;
    // libzmq reconnects with the keys of the last attempt.
    const onFailure = (): void => {
      if (keys.failed()) this.reconnector?.renew();
    };
    for (const cause of ['auth', 'protocol', 'other'] as const)
      this.monitor.on(`handshake:error:${cause}`, onFailure);
  }

  /**
   * Binds, and starts to read.
   *
   * @returns the endpoint in use, with the chosen port if port 0 was requested
   * @throws {ZeroMQSocketInvalid} when the address is in use, not of this host or not writable
   */
  async bind(connection: ZeroMQConnection): Promise<string> {
    if (connection instanceof ZeroMQTCPConnection && connection.isIPv6(true)) this.raw.ipv6 = true;
    this.inproc = connection instanceof ZeroMQINPROCConnection;
    if (!this.inproc) await this.openAdmission();
    const { endpoint, file } = await bindSocket(this.raw, connection, () => this.closed);
    this.ipcFile = file;
    this.startReading();
    return endpoint;
  }

  /**
   * Connects in the background, reconnects whenever the connection is lost, and starts to read.
   *
   * @throws {ZeroMQSocketInvalid} when the address is invalid
   */
  connect(connection: ZeroMQConnection): void {
    const endpoint = connection.getConnectionString(false);
    if (connection instanceof ZeroMQTCPConnection && connection.isIPv6(false)) this.raw.ipv6 = true;
    this.keys?.apply();
    try {
      this.raw.connect(endpoint);
    } catch (cause) {
      throw new ZeroMQSocketInvalid(codeOf(cause), `cannot connect ${endpoint}: ${toError(cause).message}`, {
        cause,
      });
    }
    this.reconnector ??= new Reconnector(this.monitor, () => this.reconnect(connection));
    this.startReading();
  }

  /**
   * Discards a connection with all its queued messages, and connects again. For peers that accept no
   * messages, and for INPROC, where libzmq does not reconnect.
   */
  reconnect(connection: ZeroMQConnection): void {
    if (this.closed) return;
    this.discard(connection);
    this.connect(connection);
  }

  /**
   * Discards a lost connection with its queued messages, and connects again after a delay. libzmq
   * would send them on the next connection. (ZMQ_IMMEDIATE prevents that, but loses the last
   * messages of the peer.)
   * @param routingId routing id of the new connection. A peer that has not noticed the loss would
   *   ignore a second connection with the same routing id
   */
  renew(connection: ZeroMQConnection, routingId: string): void {
    if (this.closed) return;
    this.discard(connection);
    this.raw.routingId = routingId;
    this.reconnector?.renew();
  }

  /** Whether a connection was discarded and the next one has not started yet. */
  get renewing(): boolean {
    return this.reconnector?.renewing === true;
  }

  /**
   * Resolves when an INPROC peer has left, which libzmq does not report.
   *
   * @param probe a message that the peer drops while it exists
   */
  async waitForPeerExit(probe: Buffer[]): Promise<void> {
    while (!this.closed && (await this.deliver(probe)) === undefined) {
      await delay(PROBE_INTERVAL, undefined, { ref: false });
    }
  }

  /** Returns the authenticated peer of a ROUTER bound with CURVE, by its routing id in Latin-1. */
  authenticatedPeer(key: string): AuthenticatedPeer | undefined {
    return this.admission?.peer(key);
  }

  /** Whether connecting and leaving peers are reported; needs draft options, never over INPROC. */
  get reportsPeers(): boolean {
    return this.notices !== undefined && !this.inproc;
  }

  /** Whether peers are authenticated by their keys. */
  get authenticates(): boolean {
    return this.admission !== undefined;
  }

  /** Stops reading. Messages wait in libzmq up to the high-water marks, then at the senders. */
  pause(): void {
    this.paused ??= withResolvers();
  }

  /** Resumes reading. */
  resume(): void {
    this.paused?.resolve();
    this.paused = undefined;
  }

  /** Sends a message, in order. Calls `handler` if libzmq refuses it. */
  send(frames: Buffer[], handler: SendHandler): void {
    if (this.closed) handler.refused(frames, 'CLOSED');
    else this.sends.send(frames, handler);
  }

  /** Sends a message. Resolves with undefined if libzmq accepted it, or with the refusal. */
  deliver(frames: Buffer[]): Promise<Refusal | undefined> {
    return new Promise((resolve) => {
      this.send(frames, { refused: (_frames, reason) => resolve(reason), sent: () => resolve(undefined) });
    });
  }

  /** Closes the socket once libzmq has all messages. libzmq sends them within the linger time. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.reconnector?.stop();
    this.admission?.close();
    this.resume();
    this.monitor.close();
    this.sends.end(() => {
      this.ipcFile?.remove();
      this.raw.close();
    });
  }

  private discard(connection: ZeroMQConnection): void {
    const { linger } = this.raw;
    this.raw.linger = 0; // libzmq applies the value at this moment to the connection
    try {
      this.raw.disconnect(connection.getConnectionString(false));
    } catch {
      // The connection no longer existed.
    }
    this.raw.linger = linger;
  }

  private async openAdmission(): Promise<void> {
    const { curve } = this.options;
    if (curve === undefined || curve instanceof CurveClient || this.admission !== undefined) return;
    const { raw, monitor, notices } = this;
    this.admission = new Admission({ raw, monitor, reportsPeers: notices !== undefined }, curve, {
      peerLeft: (key) => this.receiver.peerLeft?.(key),
      permissionsChanged: (key) => this.receiver.permissionsChanged?.(key),
    });
    await this.admission.open();
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
        if (!this.closed) this.readFailed(error);
        return;
      }
      if (this.closed) return;
      noteFrames(frames);
      this.dispatch(frames);
    }
  }

  private handleNotice(notice: 'connected' | 'left', identity: Buffer | undefined): void {
    if (identity === undefined) return;
    const key = identity.toString('latin1');
    if (notice === 'left') {
      if (this.admission?.peerLeft(key) !== false) this.receiver.peerLeft?.(key);
    } else if (this.admission?.peerConnected(key, identity) !== false)
      this.receiver.peerConnected?.(key, identity);
  }

  /** Reading failed permanently. A socket that can only send is useless to its owner. */
  private readFailed(cause: unknown): void {
    const message = `cannot read from a socket any longer: ${toError(cause).message}; the socket is closed`;
    process.emitWarning(new ZeroMQSocketClosed(codeOf(cause), message, { cause }));
    this.close();
  }

  /** An error in the receiver must not keep the next message from being read. */
  private dispatch(frames: Buffer[]): void {
    this.received += 1;
    try {
      const notice = this.notices?.read(frames);
      if (notice !== undefined) this.handleNotice(notice, frames[0]);
      else if (this.admission?.isAdmitted(frames) !== false) this.receiver.message(frames);
    } catch (error) {
      process.emitWarning(toError(error), { code: 'ZEROMQ_GATEWAY_RECEIVER' });
    }
  }
}
