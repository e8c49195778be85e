/**
 * core/observability: what a node reports about itself. Diagnostics channels, health, lifecycle
 * states, reports of routers, statistics of requests, and tracing.
 */

/**
 * Diagnostics channels of the framework (`node:diagnostics_channel`), each with a typed payload.
 * Metrics, tracing and tests subscribe to them. The framework never depends on subscribers.
 *
 * Publishing costs nothing without subscribers, because publishers check first and then build the
 * payload:
 *
 *     if (diagnostics.batchSent.hasSubscribers) diagnostics.batchSent.publish({ … });
 *
 * Other packages subscribe by channel name, `zeromq-gateway:…`. Subscribers must not change
 * payloads.
 */
import { channel } from 'node:diagnostics_channel';

/** A diagnostics channel with a typed payload. */
export interface DiagnosticsChannel<Payload> {
  readonly name: string | symbol;
  readonly hasSubscribers: boolean;
  publish(payload: Payload): void;
  subscribe(listener: (payload: Payload, name: string | symbol) => void): void;
  unsubscribe(listener: (payload: Payload, name: string | symbol) => void): void;
}

/** Kind of the node that publishes. */
export type NodeKind = 'client' | 'router' | 'worker' | 'server' | 'gateway' | 'worker-threads';

/** The node that publishes: its kind, and its identity or name. */
export interface DiagnosticsSource {
  readonly kind: NodeKind;
  readonly node: string;
}

/** A node settled a request. Each node that the request passed publishes it. */
export interface RequestSettled extends DiagnosticsSource {
  readonly eventName: string;
  readonly requestId: string;
  readonly status: number;
  /** Empty on success, else an outcome code or the worker's own code. */
  readonly code: string;
  /** Message of the failure, if this node knows it. */
  readonly detail?: string | undefined;
  readonly dispatched: boolean;
  /** Whether the handler of a worker sent it, if this node knows it. */
  readonly call?: boolean;
  /** Milliseconds from arrival at this node to the outcome. */
  readonly duration: number;
  /** Version of the contract of the worker that replied, if this node knows it. */
  readonly version?: string;
  /** Milliseconds in the queue, if this node knows it. */
  readonly queueTime?: number;
  /** Milliseconds in the handler, if this node knows it. */
  readonly handlerTime?: number;
}

/** A worker or server replied to a request. */
export interface ExecutionSettled extends DiagnosticsSource {
  readonly eventName: string;
  /** Empty on success, else an outcome code or the handler's own code. */
  readonly code: string;
  /** Milliseconds from the arrival of the request to its reply, or to the end of its stream. */
  readonly duration: number;
}

/**
 * A gateway answered an HTTP request, or its client disconnected. Requests without an operation are
 * included.
 */
export interface HttpAnswered extends DiagnosticsSource {
  readonly method: string;
  /**
   * Declared path of the operation or page, such as `/tasks/{id}`; empty when the path matches
   * none.
   */
  readonly route: string;
  /** Requested path without its query. */
  readonly path: string;
  readonly status: number;
  /** Empty on success, else the code of the problem details. */
  readonly code: string;
  /** Detail of the problem details, as the client received it; empty on success. */
  readonly detail: string;
  /** Event of the operation; empty if there is none. */
  readonly eventName: string;
  readonly requestId: string;
  /** Milliseconds from the headers of the request to the response. */
  readonly duration: number;
  /** Address of the HTTP client. */
  readonly client: string;
  /** Id of the authenticated caller; empty without authentication. */
  readonly caller: string;
  /**
   * Body bytes sent to the client and received from it; undefined unless the request or the reply
   * may be a stream.
   */
  readonly stream?: { readonly sent: number; readonly received: number } | undefined;
}

/** A worker is available for requests. */
export interface WorkerJoined extends DiagnosticsSource {
  /** Its identity. */
  readonly worker: string;
  /** Its name for people: contract, file, host and a short id. */
  readonly name: string;
  /** Whether it speaks only the original protocol. */
  readonly classic: boolean;
  /** Events it announced; empty for a classic worker. */
  readonly events: readonly string[];
  readonly concurrency: number;
}

/** A router rejected the announcement of a worker. */
export interface WorkerRefused extends DiagnosticsSource {
  readonly worker: string;
  /** What was rejected: its contract, or another part of its announcement. */
  readonly cause: RefusalCause;
}

/** What a router rejects of a worker, all of which label a metric. */
export const REFUSAL_CAUSES = ['contract', 'announcement'] as const;
/** What a router rejected of a worker. */
export type RefusalCause = (typeof REFUSAL_CAUSES)[number];

/** A file was read again because it had changed. */
export interface FileReloaded {
  readonly what: ReloadedKind;
  /** Whether the new content is in use; if not, the previous one stays. */
  readonly ok: boolean;
}

/** The kinds of files that are reloaded, all of which label a metric. */
export const RELOADED_KINDS = ['document', 'allow-list', 'key-file', 'certificate', 'settings'] as const;
/** Kind of a file that was reloaded. */
export type ReloadedKind = (typeof RELOADED_KINDS)[number];

/** Why workers receive no more requests, all of which label a metric. */
export const LEAVE_REASONS = [
  'goodbye',
  'disconnected',
  'heartbeat',
  'replaced',
  'refused',
  'stopped',
] as const;
/** Why a worker receives no more requests. */
export type LeaveReason = (typeof LEAVE_REASONS)[number];

/** A worker receives no more requests. */
export interface WorkerLeft extends DiagnosticsSource {
  /** Its identity. */
  readonly worker: string;
  /** Its name for people: contract, file, host and a short id. */
  readonly name: string;
  readonly reason: LeaveReason;
  /** Number of requests it held. */
  readonly held: number;
}

/** A check found that a node was silent for longer than its timeout. */
export interface HeartbeatMissed extends DiagnosticsSource {
  /** Key of the silent node, `<node_id>_<session_id>`. */
  readonly peer: string;
  readonly peerType: string;
  /** Consecutive missed checks. */
  readonly missed: number;
  /** Milliseconds since the last message from the node. */
  readonly silentFor: number;
}

/** A node missed too many checks and counts as lost. The payload is that of a miss. */
export type HeartbeatLost = HeartbeatMissed;

/** A reconnection attempt is scheduled. */
export interface Reconnect extends DiagnosticsSource {
  readonly endpoint: string;
  /** Number of the attempt since the connection was lost or first requested, from 1. */
  readonly attempt: number;
  /** Milliseconds until the attempt. */
  readonly delay: number;
}

/** Why a message or part of one was dropped. The set is closed, so that it can label a metric. */
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
  | 'window-exceeded'
  | 'overflow';

/** A received or outgoing message was dropped. */
export interface FrameDropped extends DiagnosticsSource {
  readonly cause: DropCause;
  /** Identity of the peer as text or hex, if known. */
  readonly peer?: string;
}

/** A batch of packed records was sent in one message. */
export interface BatchSent extends DiagnosticsSource {
  readonly records: number;
  readonly bytes: number;
}

/** States of a node; `lifecycle.ts` has the transitions. */
export type LifecycleState = 'idle' | 'starting' | 'running' | 'draining' | 'closed';

/** A node changed its state. */
export interface LifecycleTransition extends DiagnosticsSource {
  readonly from: LifecycleState;
  readonly to: LifecycleState;
  /** Why it closed without being asked to, or why the start failed. */
  readonly error?: Error;
}

/** All channels of the framework. */
export const diagnostics = {
  requestSettled: open<RequestSettled>('request:settled'),
  executionSettled: open<ExecutionSettled>('execution:settled'),
  httpAnswered: open<HttpAnswered>('http:answered'),
  workerJoined: open<WorkerJoined>('worker:joined'),
  workerLeft: open<WorkerLeft>('worker:left'),
  workerRefused: open<WorkerRefused>('worker:refused'),
  fileReloaded: open<FileReloaded>('file:reloaded'),
  heartbeatMissed: open<HeartbeatMissed>('heartbeat:missed'),
  heartbeatLost: open<HeartbeatLost>('heartbeat:lost'),
  reconnect: open<Reconnect>('reconnect'),
  frameDropped: open<FrameDropped>('frame:dropped'),
  batchSent: open<BatchSent>('batch:sent'),
  lifecycle: open<LifecycleTransition>('lifecycle'),
};

/**
 * Creates a named channel. The module keeps it, so that subscriptions made by name are not
 * collected.
 */
function open<Payload>(name: string): DiagnosticsChannel<Payload> {
  return channel(`zeromq-gateway:${name}`) as DiagnosticsChannel<Payload>;
}
