/**
 * What the framework tells about itself: named channels of node:diagnostics_channel, each with a payload type.
 * Metrics, tracing and tests subscribe; nothing in the framework depends on somebody listening.
 *
 * Publishing must cost nothing when nobody subscribes, so a publisher asks first and builds the payload after:
 *
 *     if (diagnostics.batchSent.hasSubscribers) diagnostics.batchSent.publish({ … });
 *
 * Subscribers of other packages reach a channel by its name, `zeromq-gateway:…`. They must not change payloads.
 */
import { channel } from 'node:diagnostics_channel';

/** A diagnostics channel whose payload type is known. */
export interface DiagnosticsChannel<Payload> {
  readonly name: string | symbol;
  readonly hasSubscribers: boolean;
  publish(payload: Payload): void;
  subscribe(listener: (payload: Payload, name: string | symbol) => void): void;
  unsubscribe(listener: (payload: Payload, name: string | symbol) => void): void;
}

/** What kind of node speaks. */
export type NodeKind = 'client' | 'router' | 'worker' | 'server' | 'gateway' | 'worker-threads';

/** Who speaks: the kind of node, and its identity or name. */
export interface DiagnosticsSource {
  readonly kind: NodeKind;
  readonly node: string;
}

/** A request has its outcome, as this node saw it. A request that passes several nodes is told by each. */
export interface RequestSettled extends DiagnosticsSource {
  readonly eventName: string;
  readonly requestId: string;
  readonly status: number;
  /** Empty on success, else a code of the catalogue or the worker's own. */
  readonly code: string;
  readonly dispatched: boolean;
  /** Milliseconds at this node, from arrival to outcome. */
  readonly duration: number;
  /** Milliseconds it waited for a worker, where this node knows. */
  readonly queueTime?: number;
  /** Milliseconds the handler took, where this node knows. */
  readonly handlerTime?: number;
}

/** A gateway answered an HTTP request, or its client went away; also where no operation was concerned. */
export interface HttpAnswered extends DiagnosticsSource {
  readonly method: string;
  /** Path of the operation or page as it is declared, such as `/tasks/{id}`; empty where nothing is at the path. */
  readonly route: string;
  /** Path that was asked for, without its query. */
  readonly path: string;
  readonly status: number;
  /** Empty on success, else the code of the problem. */
  readonly code: string;
  /** Event of the operation; empty where there is none. */
  readonly eventName: string;
  readonly requestId: string;
  /** Milliseconds from the request's headers to its answer. */
  readonly duration: number;
  /** Address of the client. */
  readonly client: string;
  /** Who called, where that was asked; else empty. */
  readonly caller: string;
}

/** A worker may be given requests from now on. */
export interface WorkerJoined extends DiagnosticsSource {
  readonly worker: string;
  /** It speaks the original's protocol only. */
  readonly classic: boolean;
  /** Events it announced; empty for a classic worker. */
  readonly events: readonly string[];
  readonly concurrency: number;
}

/** Why a worker is given nothing more. */
export type LeaveReason = 'goodbye' | 'disconnected' | 'heartbeat' | 'replaced' | 'refused' | 'stopped';

/** A worker is given nothing more. */
export interface WorkerLeft extends DiagnosticsSource {
  readonly worker: string;
  readonly reason: LeaveReason;
  /** Requests it held. */
  readonly held: number;
}

/** A node was silent for longer than its timeout at a check. */
export interface HeartbeatMissed extends DiagnosticsSource {
  /** Key of the silent node, `<node_id>_<session_id>`. */
  readonly peer: string;
  readonly peerType: string;
  /** Checks missed in a row. */
  readonly missed: number;
  /** Milliseconds since its last sign of life. */
  readonly silentFor: number;
}

/** A node missed too many checks and counts as dead. Same payload as a miss. */
export type HeartbeatLost = HeartbeatMissed;

/** A connection is tried again. */
export interface Reconnect extends DiagnosticsSource {
  readonly endpoint: string;
  /** Attempt since the connection was lost or first asked for, from 1. */
  readonly attempt: number;
  /** Milliseconds until the attempt. */
  readonly delay: number;
}

/** Why a message or a part of it was not used. The set is closed, so that it can label a metric. */
export type DropCause =
  | 'too-few-frames'
  | 'too-many-frames'
  | 'no-delimiter'
  | 'bad-event-name'
  | 'bad-json'
  | 'bad-metadata'
  | 'bad-batch'
  | 'bad-control'
  | 'bad-heartbeat'
  | 'too-large'
  | 'unknown-token'
  | 'late-reply'
  | 'duplicate-reply'
  | 'foreign-reply'
  | 'unknown-peer'
  | 'identity-in-use'
  | 'unroutable'
  | 'overflow';

/** Something that arrived, or was to be sent, was dropped. */
export interface FrameDropped extends DiagnosticsSource {
  readonly cause: DropCause;
  /** Identity of the peer in hex or text, where known. */
  readonly peer?: string;
}

/** A batch of packed records left in one message. */
export interface BatchSent extends DiagnosticsSource {
  readonly records: number;
  readonly bytes: number;
}

/** States in the life of a node; `lifecycle.ts` has the transitions. */
export type LifecycleState = 'idle' | 'starting' | 'running' | 'draining' | 'closed';

/** A node went from one state of its life to the next. */
export interface LifecycleTransition extends DiagnosticsSource {
  readonly from: LifecycleState;
  readonly to: LifecycleState;
  /** Why it closed, where it was not asked to, or why the start failed. */
  readonly error?: Error;
}

/** The catalogue: every channel of the framework. */
export const diagnostics = {
  requestSettled: open<RequestSettled>('request:settled'),
  httpAnswered: open<HttpAnswered>('http:answered'),
  workerJoined: open<WorkerJoined>('worker:joined'),
  workerLeft: open<WorkerLeft>('worker:left'),
  heartbeatMissed: open<HeartbeatMissed>('heartbeat:missed'),
  heartbeatLost: open<HeartbeatLost>('heartbeat:lost'),
  reconnect: open<Reconnect>('reconnect'),
  frameDropped: open<FrameDropped>('frame:dropped'),
  batchSent: open<BatchSent>('batch:sent'),
  lifecycle: open<LifecycleTransition>('lifecycle'),
};

/** Makes the channel of a name; the module keeps it, so that subscriptions made by name are not collected. */
function open<Payload>(name: string): DiagnosticsChannel<Payload> {
  return channel(`zeromq-gateway:${name}`) as DiagnosticsChannel<Payload>;
}
