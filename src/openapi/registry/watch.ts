/**
 * Reloads documents that change while the gateway runs. If a changed document is not valid, the
 * previous version stays in the registry.
 *
 * The package `chokidar` 5.0.0 would replace the timer and `stat` only, about 20 lines, since
 * network file systems need its polling mode. The state of each file just before it was read, which
 * decides whether a document is read again, would stay here.
 */
import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ContractError } from '../../contract/errors.ts';
import { toError } from '../../core/messages/errors.ts';
import { loadDocument, putDocument } from './load.ts';
import type { ApiRegistry, PutOptions } from './registry.ts';

/** A document to watch, with the options of its source. */
export interface WatchedDocument extends PutOptions {
  /** Path of the document. */
  readonly file: string;
  /**
   * Name of the source.
   *
   * @defaultValue the path of the file
   */
  readonly name?: string;
}

/** Options of {@link watchDocuments}. */
export interface WatchOptions {
  /**
   * Called after a changed document was added to the registry.
   *
   * @defaultValue undefined
   */
  readonly onChange?: (file: string) => void;
  /**
   * Called when a changed document was rejected; the previous version stays.
   *
   * @defaultValue undefined
   */
  readonly onError?: (error: ContractError, file: string) => void;
  /**
   * Interval between two checks of the files, in milliseconds. A change is loaded after the files
   * stayed the same for one interval.
   *
   * @defaultValue 150
   */
  readonly interval?: number;
}

/** Stops the watching of documents. */
export interface DocumentWatcher {
  /** Stops watching. Calling it again has no effect. */
  close(): void;
}

interface Watched {
  readonly document: WatchedDocument;
  /**
   * State of each file just before it was last read. This includes files that a broken document
   * refers to and that do not exist.
   */
  read: ReadonlyMap<string, string>;
  /** State of all files at the last check. */
  seen: string;
  failed: boolean;
}

/**
 * Watches documents and all files that they refer to. It polls the files instead of subscribing to
 * file system events, because polling works on every file system and with every way in which
 * editors save.
 *
 * @param registry the registry that already contains the documents.
 * @param documents the documents to watch.
 * @returns a handle that stops watching.
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
    // Documents that conflicted with the previous version may now be valid.
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

/**
 * Records the state of a document. If the registry already contains it, the document counts as
 * read; otherwise the first check reads it.
 */
function begin(registry: ApiRegistry, document: WatchedDocument): Watched {
  const { read, onFile } = noting();
  try {
    loadDocument(document.file, { onFile, maxBytes: document.maxBytes });
  } catch {
    // The document is broken at present; the first check reports why.
  }
  const seen = [...read.values()].join('\n');
  if (!registry.names().includes(document.name ?? document.file)) {
    for (const file of read.keys()) read.set(file, 'not read');
  }
  return { document, read, seen, failed: false };
}

/** Loads a document into the registry; returns true when the registry has changed. */
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

/** Records the state of each file before it is read. */
function noting(): { read: Map<string, string>; onFile: (path: string) => void } {
  const read = new Map<string, string>();
  const onFile = (path: string): void => {
    if (!read.has(path)) read.set(path, textOfState(statSync(path, { throwIfNoEntry: false })));
  };
  return { read, onFile };
}

/** Returns a text that changes whenever one of the files changes. */
async function stateOf(files: readonly string[]): Promise<string> {
  const states = await Promise.all(
    files.map(async (file) => textOfState(await stat(file).catch(() => undefined))),
  );
  return states.join('\n');
}

function textOfState(stats: Stats | undefined): string {
  return stats === undefined ? 'none' : `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}
