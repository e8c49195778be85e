/**
 * worker/threads: a worker whose handlers run in threads or processes (`threads.ts`). A blocked or
 * crashed one is replaced, and its requests end.
 *
 * Tracks which files a thread or process imports, so that a change of one of them can be noticed.
 */

import * as nodeModule from 'node:module';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';

/** A resolve hook for `module.register`, which runs it in a thread of its own. */
const HOOKS = `
let port;
export function initialize(data) { port = data; }
export async function resolve(specifier, context, next) {
  try {
    const resolved = await next(specifier, context);
    port.postMessage(resolved.url);
    return resolved;
  } catch (error) {
    if (specifier.startsWith('.') && context.parentURL) port.postMessage(new URL(specifier, context.parentURL).href);
    throw error;
  }
}`;

type Resolved = { readonly url: string };
type SyncResolve = (
  specifier: string,
  context: { readonly parentURL?: string },
  next: (specifier: string, context: object) => Resolved,
) => Resolved;

/** `module.registerHooks`, which Node.js has since 22.15. */
const { registerHooks } = nodeModule as { registerHooks?: (hooks: { resolve: SyncResolve }) => unknown };

/** Tracks the imports of this thread, apart from those of packages in `node_modules`. */
export class ImportTracking {
  private readonly urls = new Set<string>();
  private readonly reported = new Set<string>();
  private readonly drain: () => void;
  private scheduled = false;

  /**
   * Starts tracking. Relative imports that fail count as well: their files may be created later.
   *
   * @param report called with the paths of newly imported files.
   */
  constructor(private readonly report: (files: readonly string[]) => void) {
    this.drain = registerHooks === undefined ? this.trackByPort() : trackInThread(registerHooks, this.add);
  }

  /** Files imported until the last report, in order. */
  get files(): readonly string[] {
    return [...this.reported];
  }

  /** Reports everything that was imported until now. */
  flush(): void {
    this.drain();
    const required = Object.keys(createRequire(import.meta.url).cache).map(
      (file) => pathToFileURL(file).href,
    );
    const files = [...this.urls, ...required].flatMap(pathOf).filter((file) => !this.reported.has(file));
    this.urls.clear();
    if (files.length === 0) return;
    for (const file of files) this.reported.add(file);
    this.report([...new Set(files)]);
  }

  private readonly add = (url: string): void => {
    this.urls.add(url);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    }).unref();
  };

  /** Tracks with `module.register`. Returns a function that reads what the hook has posted. */
  private trackByPort(): () => void {
    const { port1, port2 } = new MessageChannel();
    const hooks = `data:text/javascript,${encodeURIComponent(HOOKS)}`;
    nodeModule.register(hooks, { data: port2, transferList: [port2] });
    port1.on('message', this.add).unref();
    return () => {
      for (let got = receiveMessageOnPort(port1); got !== undefined; got = receiveMessageOnPort(port1))
        this.urls.add(got.message as string);
    };
  }
}

/** Tracks with synchronous hooks, which see `require` as well. */
function trackInThread(register: NonNullable<typeof registerHooks>, add: (url: string) => void): () => void {
  register({
    resolve(specifier, context, next) {
      try {
        const resolved = next(specifier, context);
        add(resolved.url);
        return resolved;
      } catch (error) {
        if (specifier.startsWith('.') && context.parentURL !== undefined)
          add(new URL(specifier, context.parentURL).href);
        throw error;
      }
    },
  });
  return () => undefined;
}

/** Path of a file URL, without a query that a loader added; nothing for files of packages. */
function pathOf(url: string): string[] {
  if (!url.startsWith('file:')) return [];
  try {
    const place = new URL(url);
    place.search = '';
    place.hash = '';
    const file = fileURLToPath(place);
    return /[\\/]node_modules[\\/]/.test(file) ? [] : [file];
  } catch {
    return [];
  }
}
