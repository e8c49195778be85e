/**
 * What a `ZeroMQWorkerThreads` and its threads say to each other. Requests, replies and cancels travel packed, as
 * bytes; these are the rest.
 */
import type { LogLevel } from '../core/logging.ts';
import type { Announcement } from '../wire/control.ts';
import type { PostedRecords } from './packed-port.ts';
import type { Pulse } from './pulse.ts';

/** Given to a thread at its start. Everything in it can be cloned. */
export interface ThreadSetup {
  readonly module: string;
  /** Requests that run at a time; undefined: as the module says. */
  readonly concurrency: number | undefined;
  readonly maxMessageSize: number;
  readonly pulse: Pulse;
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

/** From a thread: packed records, or news. */
export type FromThread =
  | PostedRecords
  | { readonly type: 'ready'; readonly announcement: Announcement; readonly concurrency: number }
  | LogMessage;

/** Whether a message is packed records. */
export function isPosted(message: ToThread | FromThread): message is PostedRecords {
  return typeof message === 'string' || message instanceof Uint8Array;
}
