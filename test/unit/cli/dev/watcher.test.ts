/** Watching files for changes. */
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Watcher } from '../../../../src/cli/dev/watcher.ts';
import { eventually, type Subscribe } from '../../../helpers/eventually.ts';
import { type Cleanup, scopeOf } from '../../../helpers/scope.ts';
import { tempFolder } from '../../../helpers/temp.ts';

/** A watcher of files, and what it reported. */
class Watched {
  readonly reports: string[][] = [];
  readonly folder: string;
  /** The folder is watched. */
  private isReady = false;
  private readonly watcher: Watcher;
  private listener: () => void = () => undefined;

  /** @param readAt when all files were read; a later change is reported. */
  constructor(cleanup: Cleanup, relevant: readonly string[], readAt: () => number) {
    this.folder = path.join(tempFolder(cleanup), 'my shop');
    mkdirSync(this.folder);
    const files = relevant.map((name) => this.place(name));
    this.watcher = new Watcher({
      isRelevant: (file) => files.includes(file),
      readAt: (file) => (files.includes(file) ? readAt() : undefined),
      changed: (changed) => {
        const names = [...changed].map((file) => path.relative(this.folder, file)).sort();
        this.isReady ||= names.includes('ready.ts');
        const others = names.filter((name) => name !== 'ready.ts');
        if (others.length > 0) this.reports.push(others);
        this.listener();
      },
      failed: (error) => assert.fail(error),
    });
    cleanup.after(() => this.watcher.close());
  }

  place(name: string): string {
    return path.join(this.folder, name);
  }

  write(name: string, text: string): void {
    mkdirSync(path.dirname(this.place(name)), { recursive: true });
    writeFileSync(this.place(name), text);
  }

  watch(...names: string[]): void {
    this.watcher.add(names.map((name) => this.place(name)));
  }

  /** Resolves once the folder is watched: a new file is reported then. */
  async ready(): Promise<void> {
    this.watch('ready.ts');
    const timer = setInterval(() => this.write('ready.ts', String(performance.now())), 100);
    const watched = eventually(this.subscribe, () => this.isReady, 'the first report');
    await watched.finally(() => clearInterval(timer));
  }

  /** Resolves with the next report. */
  async next(count = this.reports.length + 1): Promise<string[] | undefined> {
    await eventually(this.subscribe, () => this.reports.length >= count, `report ${count} of changes`);
    return this.reports[count - 1];
  }

  private readonly subscribe: Subscribe = (listener) => {
    this.listener = listener;
    return () => undefined;
  };
}

/** Files that were read at the beginning count as changed once they are watched. */
const LONG_AGO = (): number => 0;

describe('watcher', () => {
  it('reports files that changed before they were watched, and only relevant ones', async (t) => {
    const watched = new Watched(scopeOf(t), ['a.ts', 'b.ts'], LONG_AGO);
    for (const name of ['a.ts', 'b.ts', 'c.ts']) watched.write(name, '1');
    watched.watch('a.ts');
    assert.deepEqual(await watched.next(), ['a.ts', 'b.ts']);
  });

  it('reports a file that is replaced by renaming, each time', async (t) => {
    const watched = new Watched(scopeOf(t), ['a.ts', 'ready.ts'], () => Infinity);
    watched.write('a.ts', '1');
    watched.watch('a.ts');
    await watched.ready();
    for (let round = 1; round <= 3; round += 1) {
      watched.write('a.ts.tmp', String(round));
      const next = watched.next();
      renameSync(watched.place('a.ts.tmp'), watched.place('a.ts'));
      assert.deepEqual(await next, ['a.ts']);
    }
  });

  it('reports a deleted file, and the file when it is there again', async (t) => {
    const watched = new Watched(scopeOf(t), ['a.ts', 'ready.ts'], LONG_AGO);
    watched.write('a.ts', '1');
    watched.watch('a.ts');
    assert.deepEqual(await watched.next(), ['a.ts']);
    const deleted = watched.next();
    rmSync(watched.place('a.ts'));
    assert.deepEqual(await deleted, ['a.ts']);
    const created = watched.next();
    watched.write('a.ts', '2');
    assert.deepEqual(await created, ['a.ts']);
  });

  it('reports a file whose folder does not exist yet', async (t) => {
    const watched = new Watched(scopeOf(t), ['lib/deep/a.ts', 'ready.ts'], LONG_AGO);
    watched.watch('lib/deep/a.ts');
    await watched.ready();
    const created = watched.next();
    watched.write('lib/deep/a.ts', '1');
    assert.deepEqual(await created, ['lib/deep/a.ts']);
  });

  it('watches a folder that is deleted and created again', async (t) => {
    const watched = new Watched(scopeOf(t), ['lib/a.ts'], LONG_AGO);
    watched.write('lib/a.ts', '1');
    watched.watch('lib/a.ts');
    assert.deepEqual(await watched.next(), ['lib/a.ts']);
    const deleted = watched.next();
    rmSync(watched.place('lib'), { recursive: true });
    assert.deepEqual(await deleted, ['lib/a.ts']);
    const created = watched.next();
    watched.write('lib/a.ts', '2');
    assert.deepEqual(await created, ['lib/a.ts']);
    const changed = watched.next();
    watched.write('lib/a.ts', '3');
    assert.deepEqual(await changed, ['lib/a.ts']);
  });

  it('reports changes in quick succession at once', async (t) => {
    const watched = new Watched(scopeOf(t), ['a.ts', 'b.ts'], LONG_AGO);
    watched.write('a.ts', '1');
    watched.watch('a.ts');
    await watched.next();
    const next = watched.next();
    for (let count = 0; count < 20; count += 1) {
      watched.write('a.ts', String(count));
      watched.write('b.ts', String(count));
    }
    assert.deepEqual(await next, ['a.ts', 'b.ts']);
  });
});
