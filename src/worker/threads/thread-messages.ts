/**
 * Messages between a `ZeroMQWorkerThreads` and its threads or processes. Requests, replies and
 * cancels travel as packed bytes; this file defines the other messages.
 */
import type { LogLevel } from '../../core/logging/logging.ts';
import type { SpanExport } from '../../core/observability/span-export.ts';
import type { Announcement } from '../../wire/control.ts';
import type { ModuleReport } from './module-report.ts';
import type { PostedRecords } from './packed-port.ts';
import type { Pulse } from './pulse.ts';

/** Passed to a thread or process at its start. Everything in it can be cloned. */
export interface ModuleSetup {
  readonly module: string;
  /** Maximum number of concurrent requests; undefined: the value of the module. */
  readonly concurrency: number | undefined;
  readonly maxMessageSize: number;
  /** Where its spans are exported to; undefined: nowhere, or the module itself sees to it. */
  readonly spans: SpanExport | undefined;
  /** Whether the module sends a `ModuleReport` for its imports and its failure to load. */
  readonly reports: boolean;
}

/** Passed to a thread. */
export interface ThreadSetup extends ModuleSetup {
  readonly pulse: Pulse;
}

/** Passed to a process. */
export interface ProcessSetup extends ModuleSetup {
  /** Process id of the parent. */
  readonly parent: number;
  /** Interval of beats, in ms. */
  readonly interval: number;
  /** Port of its debugger; undefined: no debugger. */
  readonly inspectPort: number | undefined;
}

/** From the parent: packed records, or the request to end event streams, or to stop. */
export type ToThread = PostedRecords | { readonly type: 'drain' | 'stop' };

/** A log entry of a thread. */
export interface LogMessage {
  readonly type: 'log';
  readonly level: LogLevel;
  readonly fields: object;
  readonly message: string;
}

/**
 * From a thread: packed records or a state change. `needs-process`: the module opens sockets, which
 * it must not do in a thread.
 */
export type FromThread =
  | PostedRecords
  | { readonly type: 'needs-process' }
  | {
      readonly type: 'ready';
      readonly announcement: Announcement;
      readonly concurrency: number;
      readonly maxStreams: number;
      /** Stall limits in ms, by event; undefined if no event has one. */
      readonly stallLimits: ReadonlyMap<string, number> | undefined;
    }
  | ModuleReport
  | LogMessage;

/** An error in the form that travels between processes. */
export interface PostedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/**
 * From a process: the messages of a thread, and events that a parent learns about a thread by other
 * means.
 */
export type FromProcess =
  | FromThread
  | { readonly type: 'beat' | 'ended' }
  | { readonly type: 'failed'; readonly error: PostedError };

/** Whether a message consists of packed records. */
export function isPosted(message: ToThread | FromProcess): message is PostedRecords {
  return typeof message === 'string' || message instanceof Uint8Array;
}
