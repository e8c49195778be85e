/**
 * What a `ZeroMQWorkerThreads` and its threads or processes say to each other. Requests, replies and cancels travel packed, as
 * bytes; these are the rest.
 */
import type { LogLevel } from '../../core/logging/logging.ts';
import type { Announcement } from '../../wire/control.ts';
import type { PostedRecords } from './packed-port.ts';
import type { Pulse } from './pulse.ts';

/** Given to a thread or process at its start. Everything in it can be cloned. */
export interface ModuleSetup {
  readonly module: string;
  /** Requests that run at a time; undefined: as the module says. */
  readonly concurrency: number | undefined;
  readonly maxMessageSize: number;
}

/** Given to a thread. */
export interface ThreadSetup extends ModuleSetup {
  readonly pulse: Pulse;
}

/** Given to a process. */
export interface ProcessSetup extends ModuleSetup {
  /** Id of the parent process. */
  readonly parent: number;
  /** Time between beats, in ms. */
  readonly interval: number;
}

/** From the parent: packed records, or the wish that the thread ends. */
export type ToThread = PostedRecords | { readonly type: 'stop' };

/** What a thread wants logged. */
export interface LogMessage {
  readonly type: 'log';
  readonly level: LogLevel;
  readonly fields: object;
  readonly message: string;
}

/** From a thread: packed records, or news. `needs-process`: the module opens sockets, which a thread must not. */
export type FromThread =
  | PostedRecords
  | { readonly type: 'needs-process' }
  | { readonly type: 'ready'; readonly announcement: Announcement; readonly concurrency: number }
  | LogMessage;

/** An error as it travels between processes. */
export interface PostedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** From a process: what a thread says, and what a parent learns of a thread in other ways. */
export type FromProcess =
  | FromThread
  | { readonly type: 'beat' | 'ended' }
  | { readonly type: 'failed'; readonly error: PostedError };

/** Whether a message is packed records. */
export function isPosted(message: ToThread | FromProcess): message is PostedRecords {
  return typeof message === 'string' || message instanceof Uint8Array;
}
