/**
 * Control messages between nodes of this framework: events whose names start with `$`, in classic
 * frames. A classic router drops them unread, because their first frame is not the address of any
 * peer.
 *
 * | event      | from → to       | meaning |
 * |------------|-----------------|---------|
 * | `$hello`   | worker → router | what the worker serves; the answer is `$welcome` or `$refused` |
 * | `$welcome` | router → worker | the worker is registered and may send packed messages |
 * | `$refused` | router → worker | why the worker is not registered |
 * | `$bye`     | worker → router | send no more requests; router → worker: no more requests will follow |
 * | `$bye`     | router or server → client | send no more requests; client → router or server: no more requests will follow |
 * | `$credit`  | worker → router | new concurrency of the worker; router → worker: acknowledged |
 * | `$want`    | router → worker | requests are queued and the worker has no credit |
 * | `$ping`    | router → worker | send `$pong`; only to workers whose hello has `ping` |
 * | `$pong`    | worker → router | the connection works |
 * | `$gone`    | worker → router | the worker closes and will not answer what it holds |
 * | `$who`     | router → worker | the router does not know the worker: send `$hello` again |
 * | `$cancel`  | router → worker that does not pack | the reply to a request is no longer needed |
 */

import { isIdentity } from '../core/identity/identity.ts';
import { isPlace, type WorkerPlace } from '../core/identity/worker-name.ts';
import { isZone } from '../core/identity/zone.ts';
import { parseObject } from '../core/json/parse-object.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import { RESERVED } from '../core/messages/event-name.ts';
import { NO_BYTES } from '../core/messages/message.ts';
import { MAX_EVENT_NAME } from './limits.ts';
import { encodeToken } from './token.ts';

/** Event that asks a router or server whether it is reachable. */
export const PING = '$router.ping';

/** First frame of every control message. */
export const CONTROL_ADDRESS: Buffer = Buffer.from(RESERVED);

/** The contract of a worker. */
export interface ContractAnnouncement {
  readonly name: string;
  /** OpenAPI fragment. */
  readonly fragment: unknown;
  /** Version, if it has one. */
  readonly version?: string;
  /** Share of the requests for that version, in percent. */
  readonly weight?: number;
}

/** The process of a worker. */
export interface WorkerOrigin {
  /** Process id. */
  readonly pid?: number;
  /** Version of its package. */
  readonly package?: string;
}

/** Announcement of a worker. */
export interface Hello extends WorkerPlace {
  readonly v: number;
  /**
   * 1 if it exchanges packed messages, 0 if it exchanges classic frames with metadata. Absent: 1.
   */
  readonly pack: 0 | 1;
  /** Requests it takes at a time from this router; 0 only from a worker that shares its credit. */
  readonly concurrency: number;
  /** Whether it shares its credit between routers: `$credit` follows, and `$want` requests more. */
  readonly share?: boolean;
  /** Events it serves; absent if it serves all unannounced events. */
  readonly events?: readonly string[];
  /** Its contract. */
  readonly contract?: ContractAnnouncement;
  /**
   * Identity of the worker, independent of this connection; requests held by an earlier connection
   * are lost. If absent, the identity of the connection is that of the worker.
   */
  readonly node?: string;
  /**
   * Number of the worker's connection to this router. When it changes, requests held by the earlier
   * one are lost.
   */
  readonly connection?: number;
  /**
   * Whether a router refused it before. A router that has just started lets other workers announce
   * their contracts first.
   */
  readonly refused?: boolean;
  /** 1 if its handlers may call events over this connection; requires `pack: 1`. */
  readonly calls?: 1;
  /** 1 if it takes and sends streams; requires `pack: 1`. */
  readonly stream?: 1;
  /** Maximum number of streams that use none of its concurrency. Absent: 1,000. */
  readonly streams?: number;
  /** 1 if it answers `$ping`. */
  readonly ping?: 1;
  /** Its zone, if it has one. Routers of the same zone prefer it. */
  readonly zone?: string;
  /** Its process; shown to operators. Absent from workers of earlier versions. */
  readonly origin?: WorkerOrigin;
}

/** The part of an announcement that describes the handlers, and where they run. */
export type Announcement = Pick<Hello, 'events' | 'contract' | 'file' | 'host'>;

/** Answer of a router that registers a worker. */
export interface Welcome {
  readonly v: number;
  readonly pack: 1;
  /** Identity of the router. */
  readonly router: string;
  /** 1 if the router takes calls of workers. Absent from routers of earlier versions. */
  readonly calls?: 1;
  /** 1 if the router passes streams on. Absent from routers of earlier versions. */
  readonly stream?: 1;
  /** 1 if calls of workers may have streams. Absent from routers of earlier versions. */
  readonly callStreams?: 1;
}

/** Answer of a router that refuses a worker. */
export interface Refused {
  readonly reason: string;
}

/**
 * Requests that the worker takes at a time from now on; the router acknowledges by repeating it.
 */
export interface Credit {
  readonly concurrency: number;
}

export type ControlName =
  | '$hello'
  | '$welcome'
  | '$refused'
  | '$credit'
  | '$want'
  | '$ping'
  | '$pong'
  | '$bye'
  | '$gone'
  | '$who'
  | '$cancel';

/** Maximum concurrency of a worker. */
const MAX_CONCURRENCY = 1_000_000;

/** Maximum size of a control message that is parsed, in bytes; a hello carries a contract. */
export const MAX_CONTROL_BYTES = 2 * 1024 * 1024;

/** Maximum number of events in a hello. */
export const MAX_EVENTS = 50_000;

/** The frames of a control message, without the identity of the peer. */
export function controlFrames(name: ControlName, data: object): Buffer[] {
  return [CONTROL_ADDRESS, NO_BYTES, Buffer.from(name), Buffer.from(JSON.stringify(data))];
}

/**
 * The frames of a `$cancel`, which takes the place of a cancel record for a worker that does not
 * pack.
 */
export function cancelFrames(id: number, generation: number, reason: CancelReason): Buffer[] {
  return controlFrames('$cancel', { token: encodeToken(id, generation).toString('hex'), reason });
}

/** Whether the frames from index `from` are a control message. */
export function isControl(frames: readonly Buffer[], from: number): boolean {
  return frames[from]?.length === 1 && frames[from][0] === 0x24 && frames[from + 1]?.length === 0;
}

/** The data of a control message; undefined if it is not a JSON object or too large. */
export function controlData(frame: Buffer | undefined): Record<string, unknown> | undefined {
  return frame === undefined ? undefined : parseObject(frame, MAX_CONTROL_BYTES);
}

/** Validates a hello. Returns the problem as text if it is invalid. */
export function readHello(data: Record<string, unknown> | undefined): Hello | string {
  if (data === undefined) return `a hello is a JSON object of at most ${MAX_CONTROL_BYTES} bytes`;
  const {
    v,
    pack = 1,
    concurrency,
    share,
    events,
    contract,
    node,
    connection,
    refused,
    calls,
    stream,
    streams,
    file,
    host,
    zone,
    ping,
    origin,
  } = data;
  if (v !== 1) return `protocol version ${JSON.stringify(v)} is not known; this router speaks 1`;
  if (pack !== 0 && pack !== 1) return `pack must be 0 or 1, got ${JSON.stringify(pack)}`;
  if (share !== undefined && typeof share !== 'boolean') return 'share must be true or false';
  if (!isConcurrency(concurrency, share === true ? 0 : 1)) {
    return `concurrency must be a whole number from 1 to 1,000,000, got ${JSON.stringify(concurrency)}`;
  }
  if (events !== undefined && !isEventList(events)) {
    return `events must be a list of at most ${MAX_EVENTS} event names of 1 to ${MAX_EVENT_NAME} bytes, none starting with $`;
  }
  if (contract !== undefined && !isContract(contract)) {
    return 'contract must have a name and a fragment, and may have a version and a weight from 0 to 100';
  }
  if (node !== undefined && !isIdentity(node))
    return 'node must be an identity of 1 to 255 bytes without control characters';
  if (connection !== undefined && typeof connection !== 'number') return 'connection must be a number';
  if (refused !== undefined && typeof refused !== 'boolean') return 'refused must be true or false';
  if (streams !== undefined && !isConcurrency(streams, 0))
    return 'streams must be a whole number from 0 to 1,000,000';
  const known: Hello = {
    ...{ v, pack, concurrency, share, events, contract, node, connection, refused },
    // Only for people: a worker is not refused for its place.
    ...(isPlace(file) && { file }),
    ...(isPlace(host) && { host }),
    ...(isZone(zone) && { zone }),
    ...(ping === 1 && { ping }),
    ...(origin !== undefined && { origin: originOf(origin) }),
  };
  // Another value comes from a later version.
  if (pack === 0) return known;
  return {
    ...known,
    ...(calls === 1 && { calls }),
    ...(stream === 1 && { stream }),
    ...(streams !== undefined && { streams }),
  };
}

/** The origin in a hello. It is only shown, so members that are not valid are left out. */
function originOf(value: unknown): WorkerOrigin {
  const { pid, package: version } = Object(value) as Record<keyof WorkerOrigin, unknown>;
  return {
    ...(Number.isSafeInteger(pid) && { pid: pid as number }),
    ...(isVersion(version) && { package: version }),
  };
}

/** The number in a `$credit`; undefined if it is missing or invalid. */
export function readCredit(data: Record<string, unknown> | undefined): number | undefined {
  const concurrency = data?.concurrency;
  return isConcurrency(concurrency, 0) ? concurrency : undefined;
}

function isConcurrency(value: unknown, least: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= MAX_CONCURRENCY;
}

/** Whether a value is a valid list of events of a worker. */
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

/** Whether a value is a version of a contract. */
export function isVersion(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.+-]{1,64}$/.test(value);
}

/** Whether a value is a weight of a version, in percent. */
export function isWeight(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 100;
}

function isContract(value: unknown): value is ContractAnnouncement {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    value.name !== '' &&
    value.name.length <= 255 &&
    'fragment' in value &&
    (!('version' in value) || isVersion(value.version)) &&
    (!('weight' in value) || isWeight(value.weight))
  );
}
