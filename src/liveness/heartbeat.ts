/**
 * The heartbeat on the wire: event `heartbeat` with the fields of the Python original. Ours adds a field, `interval`, which
 * classic receivers skip. (A frame of metadata it cannot have: a classic receiver takes a message of five frames for
 * another kind and fails.)
 */
import { isUtf8 } from 'node:buffer';
import { isIdentity, joinIdentity } from '../core/identity/identity.ts';

/** What a heartbeat says of its sender. */
export interface Heartbeat {
  readonly nodeId: string;
  readonly sessionId: string;
  readonly nodeType: HeartbeatNodeType;
  /** Wall time of the sender, ms since the epoch. */
  readonly lastHeartbeat: number;
  readonly missedCount: number;
  /** The sender's time between heartbeats, ms; undefined from a classic one. */
  readonly interval: number | undefined;
}

/** Values of `node_type`, as the original writes them. */
const NODE_TYPES = ['client', 'worker', 'server', 'router', 'undefined'] as const;
export type HeartbeatNodeType = (typeof NODE_TYPES)[number];

const EVENT = Buffer.from('heartbeat');
const DELIMITER = Buffer.alloc(0);

/** Longest payload that is looked at, in bytes. */
const LONGEST = 4096;

/** The longest interval that is believed; ms. */
const LONGEST_INTERVAL = 600_000;

/** Frames for a DEALER socket. */
export function encodeHeartbeat(heartbeat: Heartbeat): Buffer[] {
  const data = {
    node_id: heartbeat.nodeId,
    session_id: heartbeat.sessionId,
    node_type: heartbeat.nodeType,
    last_heartbeat: heartbeat.lastHeartbeat,
    missed_count: heartbeat.missedCount,
    interval: heartbeat.interval,
  };
  return [DELIMITER, EVENT, Buffer.from(JSON.stringify(data))];
}

/** Reads what a ROUTER socket received, `[identity, "", "heartbeat", json, …]`; undefined when it is no heartbeat. */
export function decodeHeartbeat(frames: readonly Buffer[]): Heartbeat | undefined {
  const [, delimiter, event, payload] = frames;
  if (delimiter?.length !== 0 || event === undefined || !event.equals(EVENT)) return undefined;
  if (payload === undefined || payload.length > LONGEST || !isUtf8(payload)) return undefined;
  let data: unknown;
  try {
    data = JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
  return typeof data === 'object' && data !== null ? readFields(data as Record<string, unknown>) : undefined;
}

function readFields(data: Record<string, unknown>): Heartbeat | undefined {
  const { node_id: nodeId, session_id: sessionId, node_type: type } = data;
  const { last_heartbeat: lastHeartbeat, missed_count: missedCount = 0, interval } = data;
  const nodeType = NODE_TYPES.find((known) => known === type);
  if (!isIdentity(nodeId) || !isIdentity(sessionId)) return undefined;
  if (!isIdentity(joinIdentity(nodeId, sessionId))) return undefined;
  if (nodeType === undefined || !isAmount(lastHeartbeat) || !isAmount(missedCount)) return undefined;
  const known = isAmount(interval) && interval > 0 ? Math.min(interval, LONGEST_INTERVAL) : undefined;
  return { nodeId, sessionId, nodeType, lastHeartbeat, missedCount, interval: known };
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
