/**
 * The heartbeat on the wire: event `heartbeat` with the fields of the Python original. Nodes of
 * this framework add the field `interval`, which classic receivers ignore. A metadata frame is not
 * possible: a classic receiver mistakes a message of five frames for another kind and fails.
 */
import { isUtf8 } from 'node:buffer';
import { isIdentity, joinIdentity } from '../core/identity/identity.ts';

/** Content of a heartbeat. */
export interface Heartbeat {
  readonly nodeId: string;
  readonly sessionId: string;
  readonly nodeType: HeartbeatNodeType;
  /** Wall time of the sender, in milliseconds since the epoch. */
  readonly lastHeartbeat: number;
  readonly missedCount: number;
  /** Milliseconds between the sender's heartbeats; undefined from a classic sender. */
  readonly interval: number | undefined;
}

/** Values of `node_type`, as the original writes them. */
const NODE_TYPES = ['client', 'worker', 'server', 'router', 'undefined'] as const;
export type HeartbeatNodeType = (typeof NODE_TYPES)[number];

const EVENT = Buffer.from('heartbeat');
const DELIMITER = Buffer.alloc(0);

/** Maximum size of a payload that is parsed, in bytes. */
const MAX_PAYLOAD_BYTES = 4096;

/** Maximum accepted interval, in milliseconds. */
const MAX_INTERVAL = 600_000;

/** Encodes a heartbeat as frames for a DEALER socket. */
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

/**
 * Decodes a message of a ROUTER socket, `[identity, "", "heartbeat", json, …]`; undefined if it is
 * not a heartbeat.
 */
export function decodeHeartbeat(frames: readonly Buffer[]): Heartbeat | undefined {
  const [, delimiter, event, payload] = frames;
  if (delimiter?.length !== 0 || event === undefined || !event.equals(EVENT)) return undefined;
  if (payload === undefined || payload.length > MAX_PAYLOAD_BYTES || !isUtf8(payload)) return undefined;
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
  const known = isAmount(interval) && interval > 0 ? Math.min(interval, MAX_INTERVAL) : undefined;
  return { nodeId, sessionId, nodeType, lastHeartbeat, missedCount, interval: known };
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
