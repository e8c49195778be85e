/**
 * Identities: the id of a node, which its config file keeps, the id of one run, and the routing ids
 * of sockets, which combine both. All code that parses or formats these texts is here.
 *
 * Routing ids are bytes. As map keys they are Latin-1 strings, one character per byte. Everywhere
 * else (config files, heartbeats, logs, reports) an identity is the text whose UTF-8 encoding they
 * are.
 */
import { randomBytes } from 'node:crypto';
import { ZeroMQConfigError } from '../messages/errors.ts';
import { readConfigFile, updateConfigFile } from './config-file.ts';
import type { IniDocument } from './config-ini.ts';

/** Sections of `config.ini` that hold a node id. */
export type IdentitySection = 'client' | 'worker' | 'server' | 'router';

export interface NodeIdentity {
  /** Kept across restarts by a config file. 32 hex digits, unless the file says otherwise. */
  readonly nodeId: string;
  /** 16 hex digits, new at each start. */
  readonly sessionId: string;
  /** Identity of the node's sockets: `<node_id>_<session_id>`. */
  readonly identity: string;
}

const OPTION = 'node_id';

/** Maximum length of a routing id in bytes (ZMQ_ROUTING_ID). */
const MAX_IDENTITY_BYTES = 255;

/** Bytes of `_` and a session id. */
const SESSION_BYTES = 17;

/**
 * Prefix of the routing ids of native workers, which send `$hello`. A router recognises these
 * workers when they connect and never treats one as a classic worker, however late its hello
 * arrives. Routing ids of classic nodes start with their node id.
 */
const HELLO_MARK = '$hello.';

/**
 * Maximum length of a node id in bytes of UTF-8; the longest routing id is a worker's, with the
 * prefix.
 */
const MAX_NODE_ID_BYTES = MAX_IDENTITY_BYTES - HELLO_MARK.length - SESSION_BYTES;

/** Control characters and lone surrogates, which logs and UTF-8 cannot represent. */
const UNUSABLE = /[\p{Cc}\p{Cs}]/u;

/** A session id after a node id. The node id may contain `_` itself. */
const SESSION = /_[0-9a-f]{16}$/i;

/**
 * Creates the identity of a node that starts.
 *
 * With a config file, the node id is read from it (option `node_id` of `section`). A missing or
 * empty id is generated and saved; processes that start at once with the same file all get the same
 * id. Without a config file the id is generated.
 *
 * @throws {ZeroMQConfigError} when the node id in the file is longer than 231 bytes, contains
 * control characters or `%`, or starts with the prefix of workers.
 * @throws {ZeroMQConfigError} when the file cannot be read, parsed or, if the id is missing,
 * written.
 */
export async function loadIdentity(
  configFile: string | undefined,
  section: IdentitySection,
): Promise<NodeIdentity> {
  const nodeId = configFile === undefined ? newNodeId() : await savedNodeId(configFile, section);
  const sessionId = newSessionId();
  return { nodeId, sessionId, identity: joinIdentity(nodeId, sessionId) };
}

/** Joins a node id and a session id. */
export function joinIdentity(nodeId: string, sessionId: string): string {
  return `${nodeId}_${sessionId}`;
}

/** An identity of the same node for a further socket or connection, with a new session id. */
export function newSessionIdentity(nodeId: string): string {
  return joinIdentity(nodeId, newSessionId());
}

/** The node id of an identity; the whole text if it has no session id. */
export function nodeIdOf(identity: string): string {
  return identity.replace(SESSION, '');
}

/** Whether a value can be an identity or a part of one. */
export function isIdentity(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    !UNUSABLE.test(value) &&
    Buffer.byteLength(value) <= MAX_IDENTITY_BYTES
  );
}

/** The identity of a routing id (in Latin-1); the routing id itself if it is not UTF-8. */
export function identityOf(routingId: string): string {
  if (/^[\0-\x7f]*$/.test(routingId)) return routingId;
  const bytes = Buffer.from(routingId, 'latin1');
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : routingId;
}

/** The routing id of an identity, as bytes. */
export function routingIdOf(identity: string): Buffer {
  return Buffer.from(identity);
}

/** The routing id of a native worker, or its start. */
export function withHelloMark(identity: string): string {
  return HELLO_MARK + identity;
}

/** Whether a routing id (in Latin-1) is that of a native worker, which sends `$hello`. */
export function hasHelloMark(routingId: string): boolean {
  return routingId.startsWith(HELLO_MARK);
}

function newSessionId(): string {
  return randomBytes(8).toString('hex');
}

async function savedNodeId(path: string, section: IdentitySection): Promise<string> {
  const found = nodeIdIn(await readConfigFile(path), section, path);
  if (found !== undefined) return found;
  const fresh = newNodeId();
  const saved = await updateConfigFile(path, (document) =>
    nodeIdIn(document, section, path) === undefined ? document.with(section, OPTION, fresh) : document,
  );
  return nodeIdIn(saved, section, path) ?? fresh;
}

function nodeIdIn(document: IniDocument, section: IdentitySection, path: string): string | undefined {
  const value = document.get(section, OPTION);
  if (value === undefined || value === '') return undefined;
  const fault = faultOf(value);
  if (fault === undefined) return value;
  throw new ZeroMQConfigError(
    `${path}:${document.lineOf(section, OPTION)}: ${OPTION} of section [${section}] ${fault}, ` +
      `got ${JSON.stringify(value)}; change it, or remove the line to have a new one generated`,
  );
}

/** Why a text from a config file is not a valid node id; undefined if it is. */
function faultOf(value: string): string | undefined {
  if (Buffer.byteLength(value) > MAX_NODE_ID_BYTES)
    return `must be at most ${MAX_NODE_ID_BYTES} bytes of UTF-8`;
  if (UNUSABLE.test(value)) return 'must be one line without control characters';
  // configparser would read it as the start of an interpolation, and fail or return another text.
  if (value.includes('%')) return 'must not contain %, which Python reads as a reference to another option';
  if (value.startsWith(HELLO_MARK))
    return `must not begin with ${HELLO_MARK}, which is reserved for routing ids`;
  return undefined;
}

function newNodeId(): string {
  return randomBytes(16).toString('hex');
}
