/**
 * Identities: the id of a node, which lasts in its config file, the id of one start, and the routing ids of sockets that
 * are made of both. Everything that reads or writes such a text is here.
 *
 * Routing ids are bytes. Where they are keys of maps they are texts in Latin-1, one character a byte; everywhere else
 * (config files, heartbeats, logs, reports) an identity is the text whose UTF-8 these bytes are.
 */
import { randomBytes } from 'node:crypto';
import { ZeroMQConfigError } from '../messages/errors.ts';
import { readConfigFile, updateConfigFile } from './config-file.ts';
import type { IniDocument } from './config-ini.ts';

/** Sections of `config.ini` that hold a node id. */
export type IdentitySection = 'client' | 'worker' | 'server' | 'router';

export interface NodeIdentity {
  /** The same after a restart when there is a config file. 32 hex digits, unless the file says otherwise. */
  readonly nodeId: string;
  /** 16 hex digits, new at each start. */
  readonly sessionId: string;
  /** `<node_id>_<session_id>`, the identity of the node's sockets. */
  readonly identity: string;
}

const OPTION = 'node_id';

/** Longest routing id, in bytes (ZMQ_ROUTING_ID). */
const MAX_IDENTITY_BYTES = 255;

/** `_` and a session id. */
const SESSION_BYTES = 17;

/**
 * The mark of workers that say hello: their routing ids begin with it, so a router recognises them as soon as they
 * connect. It never treats such a worker as a classic one, however late the hello is. Routing ids of classic nodes begin
 * with their node id.
 */
const HELLO_MARK = '$hello.';

/** Longest node id, in bytes of UTF-8: the longest routing id is that of a worker, which has the mark. */
const MAX_NODE_ID_BYTES = MAX_IDENTITY_BYTES - HELLO_MARK.length - SESSION_BYTES;

/** Control characters and halves of surrogate pairs, which no line of a log and no UTF-8 can show. */
const UNUSABLE = /[\p{Cc}\p{Cs}]/u;

/** A session id after a node id, which may hold `_` itself. */
const SESSION = /_[0-9a-f]{16}$/i;

/**
 * The identity of a node that starts now.
 *
 * With a config file the node id is read from it (section `section`, option `node_id`), or made and saved when it is
 * missing or empty; of processes that start at once with one file, all get the same. Without one it is made up.
 *
 * @throws ZeroMQConfigError when the node id in the file is longer than 231 bytes, holds control characters or
 * `%`, or begins with the mark of workers; when the file cannot be read, parsed or (where the id is missing) written.
 */
export async function loadIdentity(
  configFile: string | undefined,
  section: IdentitySection,
): Promise<NodeIdentity> {
  const nodeId = configFile === undefined ? newNodeId() : await savedNodeId(configFile, section);
  const sessionId = newSessionId();
  return { nodeId, sessionId, identity: joinIdentity(nodeId, sessionId) };
}

/** The identity of a node in one of its lives. */
export function joinIdentity(nodeId: string, sessionId: string): string {
  return `${nodeId}_${sessionId}`;
}

/** An identity of the same node for one more socket or connection: with a session id of its own. */
export function newSessionIdentity(nodeId: string): string {
  return joinIdentity(nodeId, newSessionId());
}

/** The node id in an identity; the whole text where there is no session id. */
export function nodeIdOf(identity: string): string {
  return identity.replace(SESSION, '');
}

/** Whether a value may be an identity, or a part of one. */
export function isIdentity(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    !UNUSABLE.test(value) &&
    Buffer.byteLength(value) <= MAX_IDENTITY_BYTES
  );
}

/** The identity that a routing id (in Latin-1) stands for; the routing id itself where it is not UTF-8. */
export function identityOf(routingId: string): string {
  if (/^[\0-\x7f]*$/.test(routingId)) return routingId;
  const bytes = Buffer.from(routingId, 'latin1');
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : routingId;
}

/** The bytes of a routing id. */
export function routingIdOf(identity: string): Buffer {
  return Buffer.from(identity);
}

/** The routing id of a worker that says hello, or the beginning of one. */
export function withHelloMark(identity: string): string {
  return HELLO_MARK + identity;
}

/** Whether the peer with this routing id (in Latin-1) says hello. */
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
      `got ${JSON.stringify(value)}; change it, or remove the line to have a new one made`,
  );
}

/** Why a text in a config file cannot be a node id. */
function faultOf(value: string): string | undefined {
  if (Buffer.byteLength(value) > MAX_NODE_ID_BYTES)
    return `must be at most ${MAX_NODE_ID_BYTES} bytes of UTF-8`;
  if (UNUSABLE.test(value)) return 'must be one line without control characters';
  // configparser takes it for the beginning of an interpolation, and fails or reads another text.
  if (value.includes('%')) return 'must not contain %, which Python reads as a reference to another option';
  if (value.startsWith(HELLO_MARK))
    return `must not begin with ${HELLO_MARK}, which is reserved for routing ids`;
  return undefined;
}

function newNodeId(): string {
  return randomBytes(16).toString('hex');
}
