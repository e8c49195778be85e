/**
 * Control messages between our nodes: events whose names start with `$`, in classic frames, so that a classic router
 * drops them unseen: their first frame is the address of nobody.
 *
 * | event      | from → to       | says |
 * |------------|-----------------|------|
 * | `$hello`   | worker → router | what the worker serves; asks for `$welcome` or `$refused` |
 * | `$welcome` | router → worker | the worker is in, and may send packed messages |
 * | `$refused` | router → worker | why it is not |
 * | `$bye`     | worker → router | send me nothing more; router → worker: nothing more will come |
 * | `$bye`     | router or server → client | send me nothing more; client → router or server: nothing more will come |
 * | `$credit`  | worker → router | from now on I take so many at a time; router → worker: understood |
 * | `$want`    | router → worker | requests wait here, and you take no more |
 * | `$gone`    | worker → router | I am closing and will not answer what I hold |
 * | `$who`     | router → worker | say hello again: the router does not know you |
 */

import { isIdentity } from '../core/identity/identity.ts';
import { RESERVED } from '../core/messages/event-name.ts';
import { NO_BYTES } from '../core/messages/message.ts';
import { MAX_EVENT_NAME } from './limits.ts';

/** Asks a router or server whether it is there. */
export const PING = '$router.ping';

/** First frame of every control message. */
export const CONTROL_ADDRESS: Buffer = Buffer.from(RESERVED);

/** What a worker says of itself. */
export interface Hello {
  readonly v: number;
  readonly pack: 1;
  /** Requests it takes at a time from this router; 0 only from one that shares. */
  readonly concurrency: number;
  /** It shares its credit between several routers: `$credit` follows, and `$want` asks for more. */
  readonly share?: boolean;
  /** Events it serves; absent: every event that no worker ever announced. */
  readonly events?: readonly string[];
  /** OpenAPI fragment of its contract, and the name under which it stands. */
  readonly contract?: { readonly name: string; readonly fragment: unknown };
  /** The worker, whatever the identity of this connection: what an earlier one of it held is lost. Absent: that identity. */
  readonly node?: string;
  /** Number of the worker's connection to this router: with another one, what an earlier one held is lost. */
  readonly connection?: number;
  /** A router refused it: a router that has just started lets others announce their contracts first. */
  readonly refused?: boolean;
}

/** What a worker tells routers of its handlers. */
export type Announcement = Pick<Hello, 'events' | 'contract'>;

/** What a router answers. */
export interface Welcome {
  readonly v: number;
  readonly pack: 1;
  /** Identity of the router. */
  readonly router: string;
}

/** Why a router does not take a worker. */
export interface Refused {
  readonly reason: string;
}

/** How many requests the worker takes at a time from now on; the router repeats it once it goes by it. */
export interface Credit {
  readonly concurrency: number;
}

export type ControlName =
  | '$hello'
  | '$welcome'
  | '$refused'
  | '$credit'
  | '$want'
  | '$bye'
  | '$gone'
  | '$who';

/** Most requests at a time that a worker may ask for. */
const MAX_CONCURRENCY = 1_000_000;

/** Largest control message that is parsed, in bytes: a hello carries a contract. */
export const MAX_CONTROL_BYTES = 2 * 1024 * 1024;

/** Most events in a hello. */
export const MAX_EVENTS = 50_000;

/** The frames of a control message, the peer's identity not counted. */
export function controlFrames(name: ControlName, data: object): Buffer[] {
  return [CONTROL_ADDRESS, NO_BYTES, Buffer.from(name), Buffer.from(JSON.stringify(data))];
}

/** Whether frames from index `from` on are a control message. */
export function isControl(frames: readonly Buffer[], from: number): boolean {
  return frames[from]?.length === 1 && frames[from][0] === 0x24 && frames[from + 1]?.length === 0;
}

/** The data of a control message; undefined when it is no JSON object or too large. */
export function controlData(frame: Buffer | undefined): Record<string, unknown> | undefined {
  if (frame === undefined || frame.length > MAX_CONTROL_BYTES) return undefined;
  try {
    const value: unknown = JSON.parse(frame.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** A hello out of its data; a string says what is wrong with it. */
export function readHello(data: Record<string, unknown> | undefined): Hello | string {
  if (data === undefined) return `a hello is a JSON object of at most ${MAX_CONTROL_BYTES} bytes`;
  const { v, concurrency, share, events, contract, node, connection, refused } = data;
  if (v !== 1) return `protocol version ${JSON.stringify(v)} is not known; this router speaks 1`;
  if (share !== undefined && typeof share !== 'boolean') return 'share must be true or false';
  if (!isConcurrency(concurrency, share === true ? 0 : 1)) {
    return `concurrency must be a whole number from 1 to 1,000,000, got ${JSON.stringify(concurrency)}`;
  }
  if (events !== undefined && !isEventList(events)) {
    return `events must be a list of at most ${MAX_EVENTS} event names of 1 to ${MAX_EVENT_NAME} bytes, none starting with $`;
  }
  if (contract !== undefined && !isContract(contract)) return 'contract must have a name and a fragment';
  if (node !== undefined && !isIdentity(node))
    return 'node must be an identity of 1 to 255 bytes without control characters';
  if (connection !== undefined && typeof connection !== 'number') return 'connection must be a number';
  if (refused !== undefined && typeof refused !== 'boolean') return 'refused must be true or false';
  return { v, pack: 1, concurrency, share, events, contract, node, connection, refused };
}

/** The number in a `$credit`; undefined when there is none. */
export function readCredit(data: Record<string, unknown> | undefined): number | undefined {
  const concurrency = data?.concurrency;
  return isConcurrency(concurrency, 0) ? concurrency : undefined;
}

function isConcurrency(value: unknown, least: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= MAX_CONCURRENCY;
}

/** Whether a value may be the events of a worker. */
export function isEventList(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_EVENTS &&
    value.every(
      (name) =>
        typeof name === 'string' &&
        name !== '' &&
        !name.startsWith(RESERVED) &&
        Buffer.byteLength(name) <= MAX_EVENT_NAME,
    )
  );
}

function isContract(value: unknown): value is { name: string; fragment: unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    value.name !== '' &&
    value.name.length <= 255 &&
    'fragment' in value
  );
}
