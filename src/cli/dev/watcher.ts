/** Watches files for changes, whatever way an editor saves them. */
import { existsSync, type Stats } from 'node:fs';
import path from 'node:path';
import { type FSWatcher, watch } from 'chokidar';

/** How long no further change may happen before changes are reported, in ms. */
const QUIET = 50;

/** What a watcher needs to know about files. */
export interface WatcherOwner {
  /** Returns whether a change of this file matters. */
  isRelevant(file: string): boolean;
  /**
   * Returns when the content of the file was read, in ms since 1970; undefined: it was not read.
   * A change after that is reported, even if it happened before the file was watched.
   */
  readAt(file: string): number | undefined;
  /** Called with the files that changed, were created or were deleted. */
  changed(files: ReadonlySet<string>): void;
  failed(error: Error): void;
}

/**
 * Watches the folders of files and not the files themselves: an editor that saves by renaming
 * replaces the file. Subfolders are not included.
 */
export class Watcher {
  private readonly watcher: FSWatcher;
  private readonly folders = new Set<string>();
  /** Folders that do not exist yet. */
  private readonly missing = new Set<string>();
  private readonly pending = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly owner: WatcherOwner) {
    // `atomic` would report a deleted file later than a new one.
    this.watcher = watch([], { depth: 0, alwaysStat: true, atomic: false });
    this.watcher.on('add', (file, stats) => this.added(path.resolve(file), stats));
    this.watcher.on('change', (file) => this.note(path.resolve(file)));
    this.watcher.on('unlink', (file) => this.note(path.resolve(file)));
    this.watcher.on('addDir', () => this.addFolders([...this.missing]));
    this.watcher.on('unlinkDir', (folder) => {
      if (this.folders.delete(path.resolve(folder))) this.addFolders([path.resolve(folder)]);
    });
    this.watcher.on('error', (error) => owner.failed(error as Error));
  }

  /** Watches the folders of these files as well. A folder that does not exist is watched once it does. */
  add(files: Iterable<string>): void {
    this.addFolders([...files].map((file) => path.dirname(file)));
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.watcher.close();
  }

  private addFolders(folders: readonly string[]): void {
    for (const folder of folders) {
      if (this.folders.has(folder)) continue;
      const exists = existsSync(folder);
      if (exists) this.missing.delete(folder);
      else this.missing.add(folder);
      const place = exists ? folder : nearestFolder(folder);
      if (this.folders.has(place)) continue;
      this.folders.add(place);
      this.watcher.add(place);
    }
  }

  private added(file: string, stats: Stats | undefined): void {
    const readAt = this.owner.readAt(file);
    if (readAt === undefined || (stats?.mtimeMs ?? Infinity) >= readAt) this.note(file);
  }

  private note(file: string): void {
    if (!this.owner.isRelevant(file)) return;
    this.pending.add(file);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const files = new Set(this.pending);
      this.pending.clear();
      this.owner.changed(files);
    }, QUIET);
  }
}

/** The deepest folder on the way to this one that exists. */
function nearestFolder(folder: string): string {
  const parent = path.dirname(folder);
  return parent === folder || existsSync(folder) ? folder : nearestFolder(parent);
}
