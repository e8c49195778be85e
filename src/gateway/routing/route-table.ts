/**
 * The route table: one tree for the paths of a document. The tree finds the path, the path knows its methods;
 * so a path that is known with another method is told from one that is not.
 */
import type { ApiSnapshot, Operation } from '../../openapi/model/operation.ts';
import { parseTemplate, type Template } from '../paths/path-pattern.ts';
import { PathTree } from '../paths/path-tree.ts';
import { Validators } from '../validation/validate.ts';
import type { Page } from './page.ts';
import { Route, type RouteContext } from './route.ts';

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
  /** Further targets that match as well: the values of the parameters decide. */
  readonly others: readonly (PathEntry | Page)[];
  /** What stands between the slashes of the path, as it was sent. */
  readonly segments: readonly string[];
  readonly query: string;
}

/** The path has broken percent-encoding, or the authority before it is not valid. */
export const BAD_PATH: unique symbol = Symbol('bad path');

export class RouteTable {
  readonly snapshot: ApiSnapshot;
  /** Every method that some path has, for `OPTIONS *`. */
  readonly allow: string;
  private readonly tree = new PathTree<PathEntry | Page>();
  /** By the keys of their templates. */
  private readonly entries = new Map<string, PathEntry>();

  /**
   * @param pages pages of the gateway by path; they come before operations of the same path. `/*` at the end stands
   *   for all paths below.
   * @param previous the table before this one, of which compiled bindings are kept that still hold.
   * @throws Error when two operations have the same method and path.
   */
  constructor(
    snapshot: ApiSnapshot,
    pages: ReadonlyMap<string, Page>,
    private readonly context: RouteContext,
    previous?: RouteTable,
  ) {
    this.snapshot = snapshot;
    const pageKeys = this.addPages(pages);
    const validators = new Validators(snapshot);
    for (const operation of snapshot.operations) {
      const template = parseTemplate(operation.path);
      if (pageKeys.has(template.key)) {
        context.logger.warn(
          { path: operation.path },
          'a page of the gateway hides an operation of the document',
        );
      } else this.addOperation(operation, template, validators, previous);
    }
    const { entries } = this;
    for (const entry of entries.values()) entry.allow = allowOf(entry.routes);
    this.allow = [...new Set([...entries.values()].flatMap(({ allow }) => allow.split(', ')))].join(', ');
  }

  /** What a request target leads to. */
  find(url: string): Match | typeof BAD_PATH | undefined {
    const target = url.startsWith('/') ? url : originForm(url);
    if (target === undefined) return BAD_PATH;
    if (!target.startsWith('/')) return undefined;
    const end = endOfPath(target);
    const escaped = isEscaped(target, end);
    if (escaped && !isDecodable(target.slice(0, end))) return BAD_PATH;
    const segments = segmentsOf(target, end);
    const [first, ...others] = this.tree.find(segments, escaped);
    return first === undefined
      ? undefined
      : { target: first, others, segments, query: target.slice(end + 1) };
  }

  /** Returns the keys of their templates. */
  private addPages(pages: ReadonlyMap<string, Page>): ReadonlySet<string> {
    const keys = new Set<string>();
    for (const [path, page] of pages) {
      const below = path.endsWith('/*');
      const template = parseTemplate(below ? path.slice(0, -2) : path);
      if (below) this.tree.addBelow(template, page);
      else {
        this.tree.add(template, page);
        keys.add(template.key);
      }
    }
    return keys;
  }

  private addOperation(
    operation: Operation,
    template: Template,
    validators: Validators,
    previous: RouteTable | undefined,
  ): void {
    let entry = this.entries.get(template.key);
    if (entry === undefined) {
      entry = { kind: 'path', path: operation.path, allow: '', routes: new Map() };
      this.entries.set(template.key, entry);
      this.tree.add(template, entry);
    }
    const method = operation.method.toUpperCase();
    if (entry.routes.has(method)) throw new Error(`${method} ${operation.path} is there twice`);
    const route = new Route(operation, this.snapshot.document, validators, template, this.context);
    const before = previous?.entries.get(template.key)?.routes.get(method);
    if (before !== undefined) route.reuseBinder(before);
    entry.routes.set(method, route);
  }
}

/** The origin form of a request target in absolute form (RFC 9112, 3.2); undefined when its authority is not valid. */
function originForm(url: string): string | undefined {
  if (!/^https?:\/\//i.test(url)) return url;
  if (!URL.canParse(url)) return undefined;
  const origin = url.replace(/^[^:]*:\/\/[^/?#]*/, '');
  return origin.startsWith('/') ? origin : `/${origin}`;
}

/** Index of the first sign that is not of the path. */
function endOfPath(target: string): number {
  const queryStart = target.indexOf('?');
  const fragment = target.indexOf('#');
  if (fragment !== -1 && (queryStart === -1 || fragment < queryStart)) return fragment;
  return queryStart === -1 ? target.length : queryStart;
}

/** What stands between the slashes. A loop takes half the time of `split`. */
function segmentsOf(target: string, end: number): string[] {
  const segments: string[] = [];
  let start = 1;
  for (;;) {
    const slash = target.indexOf('/', start);
    if (slash === -1 || slash >= end) break;
    segments.push(target.slice(start, slash));
    start = slash + 1;
  }
  segments.push(target.slice(start, end));
  return segments;
}

function isEscaped(target: string, end: number): boolean {
  const first = target.indexOf('%');
  return first !== -1 && first < end;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function allowOf(routes: ReadonlyMap<string, Route>): string {
  const methods = new Set(routes.keys());
  if (methods.has('GET')) methods.add('HEAD');
  methods.add('OPTIONS');
  return [...methods].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).join(', ');
}

const ORDER = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'OPTIONS'];
