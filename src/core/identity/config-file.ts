/**
 * core/identity: who a node is. Node, session and socket ids, the `config.ini` that keeps node ids,
 * locks between processes, and checks for local addresses.
 */

/**
 * Reads and changes a `config.ini` that other processes, including Python ones, use at the same
 * time.
 */
import { randomBytes } from 'node:crypto';
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import { toError, ZeroMQConfigError } from '../messages/errors.ts';
import { IniDocument } from './config-ini.ts';
import { type FileLockOptions, isCode, type StillHeld, withFileLock } from './file-lock.ts';

/**
 * Reads the file. A missing file is an empty document.
 *
 * @throws {ZeroMQConfigError} when it cannot be read, is not UTF-8 or is malformed (with the line).
 */
export async function readConfigFile(path: string): Promise<IniDocument> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return IniDocument.parse('', path);
    throw new ZeroMQConfigError(`${path}: cannot be read: ${toError(error).message}`, { cause: error });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new ZeroMQConfigError(`${path}: is not UTF-8 text`, { cause: error });
  }
  return IniDocument.parse(text, path);
}

/**
 * Changes the file under a lock and replaces it atomically, so that readers see either the old or
 * the new content.
 *
 * @param change returns the changed document, or the same one to leave the file alone. It may be
 * called more than once.
 * @returns the document that the file now holds.
 * @throws {ZeroMQConfigError} when the file or its folder cannot be read or written, or is
 * malformed.
 */
export async function updateConfigFile(
  path: string,
  change: (document: IniDocument) => IniDocument,
  options: FileLockOptions = {},
): Promise<IniDocument> {
  try {
    const target = await resolved(path);
    const attempt = async (stillHeld: StillHeld): Promise<IniDocument | undefined> => {
      const document = await readConfigFile(target);
      const changed = change(document);
      if (changed === document) return document;
      return (await replace(target, changed.toString(), stillHeld)) ? changed : undefined;
    };
    for (;;) {
      const done = await withFileLock(`${target}.lock`, attempt, options);
      if (done !== undefined) return done;
    }
  } catch (error) {
    if (error instanceof ZeroMQConfigError) throw error;
    throw new ZeroMQConfigError(`${path}: cannot be written: ${toError(error).message}`, { cause: error });
  }
}

/** Resolves a symbolic link, so that the replacement keeps the link. */
async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return path;
    throw error;
  }
}

/**
 * Writes a temporary file and renames it, keeping the permissions. Returns false when the lock was
 * lost meanwhile.
 */
async function replace(path: string, text: string, stillHeld: StillHeld): Promise<boolean> {
  const mode = await modeOf(path);
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx');
  try {
    try {
      if (mode !== undefined) await file.chmod(mode & 0o7777);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    const held = await stillHeld();
    if (held) await rename(temporary, path);
    return held;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
