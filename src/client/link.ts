/**
 * A client's link to one router or server of any kind that keeps frames before the delimiter (ours, a classic
 * server): one DEALER, any number of requests in flight. Classic frames with a token at first; packed messages as
 * soon as the peer has shown that it is one of ours.
 *
 * libzmq tells nothing of INPROC peers and does not connect to one again. So a link over INPROC asks whether somebody
 * is there (`$router.ping`, which servers answer too), and connects anew when nothing is taken from it any more.
 */
import { type DropCause, diagnostics, type Speaker } from '../core/diagnostics.ts';
import type { GiveUp } from '../core/give-up.ts';
import { furtherIdentity } from '../core/identity.ts';
import { NO_BYTES, type ReplyMessage, type RequestMessage } from '../core/message.ts';
import { type ZeroMQConnection, ZeroMQProtocol } from '../transport/connection.ts';
import { ConnectionWatch } from '../transport/connection-watch.ts';
import type { CurveClient } from '../transport/curve/security.ts';
import { type ChannelOwner, DEFAULT_CHANNEL_LIMITS, PeerChannel } from '../transport/peer-channel.ts';
import { tellReconnects } from '../transport/reconnects.ts';
import { MessageSocket, type SocketReceiver } from '../transport/socket.ts';
import type { ZeroMQSocketMonitor } from '../transport/socket-monitor.ts';
import { MalformedFrames, readClassic, requestFrames, toReply } from '../wire/classic.ts';
import { controlFrames, isControl, PING } from '../wire/control.ts';
import { isPacked, type PackedSink, readPacked } from '../wire/packed.ts';
import { encodeToken, isToken, tokenGeneration, tokenId } from '../wire/token.ts';
import type { Lane, LaneOwner, PendingRequest } from './pending.ts';

const EMPTY: Buffer = Buffer.alloc(0);

/** A peer in this process that takes nothing for so long is gone, in ms. */
const INPROC_STALL = 250;

/** Token of pings: generation 0 is given to no request. */
const PING_TOKEN = encodeToken(0, 0);

const PING_FRAMES: Buffer[] = [PING_TOKEN, EMPTY, ...requestFrames(pingRequest(), true)];

function pingRequest(): RequestMessage {
  const body = Buffer.from('null');
  return { eventName: PING, body, timeLeft: 0, idempotent: true, requestId: '', extras: NO_BYTES };
}

/** Options of a link. */
export interface ClientLinkOptions {
  readonly connection: ZeroMQConnection;
  /** Identity of the socket on its first connection; further ones are of the same node. */
  readonly identity: string;
  readonly nodeId: string;
  readonly maxMessageSize: number;
  readonly speaker: Speaker;
  readonly curve?: CurveClient;
}

export class ClientLink implements Lane, SocketReceiver, ChannelOwner, PackedSink {
  readonly endpoint: string;
  outstanding = 0;
  suspect = false;
  private readonly socket: MessageSocket;
  private readonly channel: PeerChannel;
  private readonly inproc: boolean;
  private up = false;
  /** The peer shuts down. */
  private retired = false;
  private packed = false;
  /** The peer answered on this connection. */
  private answered = false;

  constructor(
    private readonly options: ClientLinkOptions,
    private readonly owner: LaneOwner,
  ) {
    const { connection, identity, maxMessageSize, speaker, curve } = options;
    this.endpoint = connection.getConnectionString();
    this.inproc = connection.protocol === ZeroMQProtocol.INPROC;
    this.socket = new MessageSocket(
      { type: 'dealer', routingId: identity, maxMessageSize, linger: 100, curve },
      this,
    );
    const { stallTimeout } = DEFAULT_CHANNEL_LIMITS;
    const limits = { ...DEFAULT_CHANNEL_LIMITS, stallTimeout: this.inproc ? INPROC_STALL : stallTimeout };
    this.channel = new PeerChannel(this.socket, undefined, this, speaker, limits);
    tellReconnects(this.socket.monitor, speaker, this.endpoint);
    new ConnectionWatch(
      this.socket,
      () => this.cameUp(),
      () => this.lost(),
    );
  }

  get monitor(): ZeroMQSocketMonitor {
    return this.socket.monitor;
  }

  get received(): number {
    return this.socket.received;
  }

  get connected(): boolean {
    return this.up && !this.retired;
  }

  get hasRoom(): boolean {
    return this.connected && this.channel.writable;
  }

  /** It answers packed, or said that it could, or did not answer yet: perhaps one of ours, which keeps deadlines itself. */
  get honest(): boolean {
    return this.packed || !this.answered;
  }

  open(): void {
    this.socket.connect(this.options.connection);
    if (this.inproc) this.ping();
  }

  send(pending: PendingRequest): void {
    if (this.packed) this.channel.addRequest(pending.id, pending.generation, pending.message);
    else {
      const token = encodeToken(pending.id, pending.generation);
      this.channel.post([token, EMPTY, ...requestFrames(pending.message, true)]);
    }
  }

  /** Asks those that are known to be ours: a classic server would give the question to its handler. */
  ask(): boolean {
    if (this.packed) this.ping();
    return this.packed;
  }

  abandon(pending: PendingRequest, why: GiveUp): void {
    if (this.packed) this.channel.addCancel(pending.id, pending.generation, why);
  }

  retire(): void {
    if (this.retired) return;
    this.retired = true;
    this.owner.laneRetired(this);
  }

  close(): void {
    this.up = false;
    this.channel.flush();
    this.socket.close();
    this.channel.close();
  }

  message(frames: Buffer[]): void {
    const first = frames[0];
    if (first === undefined) return;
    if (isPacked(first)) {
      this.packed = true;
      if (!readPacked(frames, 0, this)) this.drop('bad-batch');
    } else if (isControl(frames, 0)) this.control(frames);
    else this.classicReply(frames);
  }

  packedReply(id: number, generation: number, reply: ReplyMessage): void {
    this.owner.laneReply(this, id, generation, reply);
  }

  packedRequest(): void {
    this.drop('foreign-reply');
  }

  packedCancel(): void {
    this.drop('foreign-reply');
  }

  channelGone(): void {
    this.wentDown();
  }

  /** Its connection may stand, but there is no use in it. */
  channelStalled(): void {
    this.reconnect();
  }

  channelWritable(): void {
    this.owner.laneReady(this);
  }

  private classicReply(frames: Buffer[]): void {
    const classic = readClassic(frames, 0);
    if (classic instanceof MalformedFrames) return this.drop(classic.cause);
    const token = classic.envelope[0];
    if (token === undefined || !isToken(token)) return this.drop('unknown-token');
    const { message, packs, broken } = toReply(classic);
    if (broken) this.drop('bad-metadata');
    this.packed ||= packs;
    this.answered = true;
    if (token.equals(PING_TOKEN)) {
      if (this.inproc && !this.retired) this.cameUp();
    } else this.owner.laneReply(this, tokenId(token), tokenGeneration(token), message);
  }

  /** The peer asks for nothing more, and is told that nothing will come: then it can close without a loss. */
  private control(frames: Buffer[]): void {
    if (frames[2]?.toString() !== '$bye') return this.drop('bad-control');
    this.retire();
    this.channel.flush();
    this.channel.post(controlFrames('$bye', {}));
    if (this.inproc) void this.socket.outlivePeer(PING_FRAMES).then(() => this.reconnect());
  }

  private reconnect(): void {
    this.wentDown();
    this.retired = false;
    if (!this.inproc) return;
    this.socket.reconnect(this.options.connection);
    this.ping();
  }

  private ping(): void {
    this.channel.post(PING_FRAMES);
  }

  private cameUp(): void {
    if (this.up || this.socket.renewing) return;
    this.up = true;
    this.retired = false;
    this.owner.laneReady(this);
  }

  /** What was sent and did not leave must not go out on the next connection, long after its callers were told. */
  private lost(): void {
    this.wentDown();
    const { connection, nodeId } = this.options;
    this.socket.renew(connection, furtherIdentity(nodeId));
  }

  /** What is gathered for the lost connection must not go out on the next one: its callers are told now. */
  private wentDown(): void {
    this.packed = false;
    this.answered = false;
    this.channel.reset();
    const { connection, nodeId } = this.options;
    if (!this.inproc) this.socket.renew(connection, furtherIdentity(nodeId));
    if (!this.up) return;
    this.up = false;
    this.owner.laneLost(this);
  }

  /** Counts something that was not used. */
  private drop(cause: DropCause): void {
    if (diagnostics.frameDropped.hasSubscribers) {
      diagnostics.frameDropped.publish({ ...this.options.speaker, cause, peer: this.endpoint });
    }
  }
}
