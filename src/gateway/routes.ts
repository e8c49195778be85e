/**
 * The route table: one radix tree for the paths of a document. The tree finds the path, the path knows its methods;
 * so a path that is known with another method is told from one that is not.
 */
import findMyWay from 'find-my-way';
import type { ApiSnapshot } from '../apidoc/operation.ts';
import type { Page } from './page.ts';
import { Route, type RouteContext } from './route.ts';
import { translate } from './template.ts';
import { Validators } from './validate.ts';

/** A path of the document, with the operations of its methods. */
export interface PathEntry {
  readonly kind: 'path';
  /** As the document has it. */
  readonly path: string;
  allow: string;
  readonly routes: Map<string, Route>;
}

/** What a path led to. */
export interface Match {
  readonly target: PathEntry | Page;
  /** Decoded path parameters, `p0`, `p1`, … */
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: string;
}

/** The path has broken percent-encoding. */
export const BAD_PATH: unique symbol = Symbol('bad path');

/** Paths are bounded by the limit of headers; no parameter needs a bound of its own. */
const MAX_PARAMETER = 1024 * 1024;

const unused = (): void => undefined;

type Tree = findMyWay.Instance<findMyWay.HTTPVersion.V1>;

export class RouteTable {
  readonly snapshot: ApiSnapshot;
  /** Every method that some path has, for `OPTIONS *`. */
  readonly allow: string;
  private readonly tree: Tree;

  private readonly entries = new Map<string, PathEntry>();

  /**
   * @param pages pages of the gateway by pattern of the tree; they come before operations of the same path.
   * @param former the table before this one, of which compiled bindings are kept that still hold.
   * @throws Error when two operations have the same method and path.
   */
  constructor(
    snapshot: ApiSnapshot,
    pages: ReadonlyMap<string, Page>,
    context: RouteContext,
    former?: RouteTable,
  ) {
    this.snapshot = snapshot;
    this.tree = findMyWay({
      caseSensitive: true,
      maxParamLength: MAX_PARAMETER,
      querystringParser: (query) => query,
      onBadUrl: unused,
    });
    for (const [pattern, page] of pages) this.tree.on('GET', pattern, unused, page);
    const validators = new Validators(snapshot);
    const { entries } = this;
    for (const operation of snapshot.operations) {
      const template = translate(operation.path);
      if (pages.has(template.pattern)) {
        context.logger.warn(
          { path: operation.path },
          'a page of the gateway hides an operation of the document',
        );
        continue;
      }
      let entry = entries.get(template.pattern);
      if (entry === undefined) {
        entry = { kind: 'path', path: operation.path, allow: '', routes: new Map() };
        entries.set(template.pattern, entry);
        this.tree.on('GET', template.pattern, unused, entry);
      }
      const method = operation.method.toUpperCase();
      if (entry.routes.has(method)) throw new Error(`${method} ${operation.path} is there twice`);
      const route = new Route(operation, snapshot.document, validators, template, context);
      const before = former?.entries.get(template.pattern)?.routes.get(method);
      if (before !== undefined) route.inherit(before);
      entry.routes.set(method, route);
    }
    for (const entry of entries.values()) entry.allow = allowOf(entry.routes);
    this.allow = [...new Set([...entries.values()].flatMap(({ allow }) => allow.split(', ')))].join(', ');
  }

  /** What a request target leads to. */
  find(url: string): Match | typeof BAD_PATH | undefined {
    const found = this.tree.find('GET', url);
    if (found === null) return undefined;
    const target = found.store as PathEntry | Page | undefined | null;
    if (target === undefined || target === null) return BAD_PATH;
    for (const name in found.params) if (found.params[name] === '') return undefined;
    return { target, params: found.params, query: found.searchParams as unknown as string };
  }
}

function allowOf(routes: ReadonlyMap<string, Route>): string {
  const methods = new Set(routes.keys());
  if (methods.has('GET')) methods.add('HEAD');
  methods.add('OPTIONS');
  return [...methods].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).join(', ');
}

const ORDER = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'OPTIONS'];
