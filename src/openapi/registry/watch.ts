/**
 * Documents that change while the gateway runs: a saved change is taken in, a broken one leaves the old in place.
 */
import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ContractError } from '../../contract/errors.ts';
import { toError } from '../../core/messages/errors.ts';
import { loadDocument, putDocument } from './load.ts';
import type { ApiRegistry, PutOptions } from './registry.ts';

/** A document to watch. */
export interface WatchedDocument extends PutOptions {
  readonly file: string;
  /** Name of the source; the file unless told otherwise. */
  readonly name?: string;
}

export interface WatchOptions {
  /** A change was taken in. */
  readonly onChange?: (file: string) => void;
  /** A change was refused; the old document stays. */
  readonly onError?: (error: ContractError, file: string) => void;
  /** How often files are looked at, in ms. Default 150. A change is taken in once a file has been still for as long. */
  readonly interval?: number;
}

/** Ends watching. */
export interface DocumentWatcher {
  close(): void;
}

interface Watched {
  readonly document: WatchedDocument;
  /** State of each file right before it was last read; of one that is broken, also of what it wanted and did not get. */
  read: ReadonlyMap<string, string>;
  /** State of the files at the last look. */
  seen: string;
  failed: boolean;
}

/**
 * Watches documents that are in the registry already, with all files that they refer to. Files are looked at
 * rather than listened to, which works on every file system and with every way that editors save.
 */
export function watchDocuments(
  registry: ApiRegistry,
  documents: readonly WatchedDocument[],
  options: WatchOptions = {},
): DocumentWatcher {
  const { interval = 150 } = options;
  const all = documents.map((document) => begin(registry, document));
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    let changed = false;
    for (const watched of all) {
      const state = await stateOf([...watched.read.keys()]);
      if (closed) return;
      const still = state === watched.seen;
      watched.seen = state;
      if (!still || state === [...watched.read.values()].join('\n')) continue;
      changed = take(registry, watched, options) || changed;
    }
    // What clashed with another document may fit now.
    if (changed) all.filter(({ failed }) => failed).forEach((watched) => take(registry, watched, options));
  };
  const next = (): void => {
    if (!closed) timer = setTimeout(() => void look().finally(next), interval).unref();
  };
  next();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** A document that is in the registry is taken for read; one that is not is read at the first look. */
function begin(registry: ApiRegistry, document: WatchedDocument): Watched {
  const { read, onFile } = noting();
  try {
    loadDocument(document.file, { onFile, maxBytes: document.maxBytes });
  } catch {
    // Broken at present: the first look tells what is wrong.
  }
  const seen = [...read.values()].join('\n');
  if (!registry.names().includes(document.name ?? document.file)) {
    for (const file of read.keys()) read.set(file, 'not read');
  }
  return { document, read, seen, failed: false };
}

/** Takes a document in; true when the registry has changed. */
function take(registry: ApiRegistry, watched: Watched, { onChange, onError }: WatchOptions): boolean {
  const { file, ...rest } = watched.document;
  const { read, onFile } = noting();
  watched.read = read;
  try {
    putDocument(registry, file, { ...rest, onFile });
    watched.failed = false;
    onChange?.(file);
    return true;
  } catch (error) {
    watched.failed = true;
    const named =
      error instanceof ContractError ? error : new ContractError(toError(error).message, { source: file });
    onError?.(named, file);
    return false;
  }
}

/** Notes the state of files before they are read. */
function noting(): { read: Map<string, string>; onFile: (path: string) => void } {
  const read = new Map<string, string>();
  const onFile = (path: string): void => {
    if (!read.has(path)) read.set(path, textOfState(statSync(path, { throwIfNoEntry: false })));
  };
  return { read, onFile };
}

/** Changes whenever one of the files does. */
async function stateOf(files: readonly string[]): Promise<string> {
  const states = await Promise.all(
    files.map(async (file) => textOfState(await stat(file).catch(() => undefined))),
  );
  return states.join('\n');
}

function textOfState(stats: Stats | undefined): string {
  return stats === undefined ? 'none' : `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}
