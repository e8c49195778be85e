/** Who a node is: an id that lasts in its config file, and one of this start. */
import { randomBytes } from 'node:crypto';
import { readConfigFile, updateConfigFile } from './config-file.ts';
import type { IniDocument } from './config-ini.ts';
import { ZeroMQConfigError } from './errors.ts';

/** Sections of `config.ini` that hold a node id. */
export type IdentitySection = 'client' | 'worker' | 'server' | 'router';

export interface NodeIdentity {
  /** 32 hex digits, the same after a restart when there is a config file. */
  readonly nodeId: string;
  /** 16 hex digits, new at each start. */
  readonly sessionId: string;
  /** `<node_id>_<session_id>`, the identity of the node's sockets. */
  readonly identity: string;
}

const OPTION = 'node_id';

/**
 * The identity of a node that starts now.
 *
 * With a config file the node id is read from it (section `section`, option `node_id`), or made and saved when it is
 * missing or empty; of processes that start at once with one file, all get the same. Without one it is made up.
 *
 * @throws ZeroMQConfigError when the node id in the file is not 32 hex digits, or the file cannot be read, parsed or
 * (where the id is missing) written.
 */
export async function loadIdentity(
  configFile: string | undefined,
  section: IdentitySection,
): Promise<NodeIdentity> {
  const nodeId = configFile === undefined ? newNodeId() : await savedNodeId(configFile, section);
  const sessionId = newSessionId();
  return { nodeId, sessionId, identity: `${nodeId}_${sessionId}` };
}

/** An identity of the same node for one more socket or connection: with a session id of its own. */
export function furtherIdentity(nodeId: string): string {
  return `${nodeId}_${newSessionId()}`;
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
  if (!/^[0-9a-f]{32}$/i.test(value)) {
    throw new ZeroMQConfigError(
      `${path}:${document.lineOf(section, OPTION)}: ${OPTION} of section [${section}] must be 32 hex digits, ` +
        `got ${JSON.stringify(value)}; remove the line to have a new one made`,
    );
  }
  return value;
}

function newNodeId(): string {
  return randomBytes(16).toString('hex');
}
