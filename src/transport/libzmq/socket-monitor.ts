/**
 * Socket monitor: typed events of libzmq's socket monitor (zmq_socket_monitor), and the status that
 * the original derives from them.
 */
import type { Observer } from 'zeromq';
import { Emitter } from '../../core/collections/emitter.ts';

/** Status of a socket, as in the original. */
export const ZeroMQSocketStatus = {
  /** No peer yet. */
  NONE: 'none',
  CONNECTED: 'connected',
  DISCONNECTED: 'disconnected',
  CLOSED: 'closed',
} as const;
export type ZeroMQSocketStatus = (typeof ZeroMQSocketStatus)[keyof typeof ZeroMQSocketStatus];

/** Names of the monitor's events, and the libzmq event of each. */
export const MONITOR_EVENTS = {
  accept: 'ZMQ_EVENT_ACCEPTED',
  'accept:error': 'ZMQ_EVENT_ACCEPT_FAILED',
  bind: 'ZMQ_EVENT_LISTENING',
  'bind:error': 'ZMQ_EVENT_BIND_FAILED',
  connect: 'ZMQ_EVENT_CONNECTED',
  'connect:delay': 'ZMQ_EVENT_CONNECT_DELAYED',
  'connect:retry': 'ZMQ_EVENT_CONNECT_RETRIED',
  close: 'ZMQ_EVENT_CLOSED',
  'close:error': 'ZMQ_EVENT_CLOSE_FAILED',
  disconnect: 'ZMQ_EVENT_DISCONNECTED',
  end: 'ZMQ_EVENT_MONITOR_STOPPED',
  handshake: 'ZMQ_EVENT_HANDSHAKE_SUCCEEDED',
  'handshake:error:protocol': 'ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL',
  'handshake:error:auth': 'ZMQ_EVENT_HANDSHAKE_FAILED_AUTH',
  'handshake:error:other': 'ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL',
  unknown: 'an event newer than this list',
} as const;

/** Name of an event of a {@link ZeroMQSocketMonitor}, as zeromq.js names it. */
export type MonitorEventName = keyof typeof MONITOR_EVENTS;

/** An event of a {@link ZeroMQSocketMonitor}. Fields are set if libzmq provides them. */
export interface MonitorEvent {
  /** Name of the event. */
  readonly type: MonitorEventName;
  /** The endpoint to which the event applies. */
  readonly address?: string;
  /** Milliseconds until the next attempt; set for `connect:retry`. */
  readonly interval?: number;
  /** The error; set for the `…:error` events. */
  readonly error?: Error;
}

type MonitorEvents = { [Name in MonitorEventName]: [event: MonitorEvent] } & {
  status: [status: ZeroMQSocketStatus, event: MonitorEvent];
  event: [event: MonitorEvent];
};

/**
 * Monitors one socket. Emits each event under its name and as `event`, and emits `status` when the
 * status changes. INPROC sockets have no events, because libzmq provides none.
 *
 * @example
 * ```ts
 * const client = new ZeroMQClient({ connection: 'tcp://localhost:5555' });
 * await client.connect();
 * for (const monitor of client.monitors) {
 *   monitor.on('status', (status) => console.error('socket status:', status));
 * }
 * ```
 */
export class ZeroMQSocketMonitor extends Emitter<MonitorEvents> {
  private current: ZeroMQSocketStatus = ZeroMQSocketStatus.NONE;
  private peers = 0;
  /** Connections whose handshake failed and whose end has not been reported yet. */
  private failed = 0;

  constructor(observer: Observer) {
    super();
    for (const name of Object.keys(MONITOR_EVENTS) as MonitorEventName[]) {
      observer.on(name as 'unknown', (event) => this.observed(name, event));
    }
  }

  /** The current status of the socket. */
  get status(): ZeroMQSocketStatus {
    return this.current;
  }

  /** The number of connections whose handshake succeeded and that were not lost. */
  get connections(): number {
    return this.peers;
  }

  /**
   * Called by the owner of the socket before it closes the socket. After it, the only status is
   * `closed`.
   */
  close(): void {
    this.peers = 0;
    const changed = this.change(ZeroMQSocketStatus.CLOSED);
    if (changed !== undefined) this.notify('status', changed, { type: 'end' });
  }

  /** Updates status and connections before listeners are called. */
  private observed(type: MonitorEventName, details: object): void {
    const event: MonitorEvent = { ...details, type };
    const changed = this.update(type);
    (this.notify as (name: MonitorEventName, event: MonitorEvent) => void).call(this, type, event);
    this.notify('event', event);
    if (changed !== undefined) this.notify('status', changed, event);
  }

  /** Returns the new status if it changed. */
  private update(type: MonitorEventName): ZeroMQSocketStatus | undefined {
    if (type === 'handshake') {
      this.peers += 1;
      return this.change(ZeroMQSocketStatus.CONNECTED);
    }
    if (type.startsWith('handshake:error')) this.failed += 1;
    return type === 'disconnect' ? this.disconnected() : undefined;
  }

  private disconnected(): ZeroMQSocketStatus | undefined {
    if (this.failed > 0) {
      this.failed -= 1;
      return undefined;
    }
    this.peers = Math.max(0, this.peers - 1);
    return this.peers === 0 ? this.change(ZeroMQSocketStatus.DISCONNECTED) : undefined;
  }

  private change(status: ZeroMQSocketStatus): ZeroMQSocketStatus | undefined {
    if (this.current === status || this.current === ZeroMQSocketStatus.CLOSED) return undefined;
    this.current = status;
    return status;
  }
}
