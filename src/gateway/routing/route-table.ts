/**
 * The route table: finds the entry of a path in a tree. The entry has the routes by method, so that the
 * dispatcher can distinguish 404 from 405.
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
  /** The path as the document declares it. */
  readonly path: string;
  allow: string;
  readonly routes: Map<string, Route>;
}

/** The result of a lookup. */
export interface Match {
  readonly target: PathEntry | Page;
  /** Further targets that match equally well. The values of the parameters decide between them. */
  readonly others: readonly (PathEntry | Page)[];
  /** The segments of the path, as the client sent them. */
  readonly segments: readonly string[];
  readonly query: string;
}

/** The path has invalid percent-encoding, or the authority of the target is not valid. */
export const BAD_PATH: unique symbol = Symbol('bad path');

/** The paths of one document and of the gateway's pages. */
export class RouteTable {
  readonly snapshot: ApiSnapshot;
  /** The methods of all paths, for `OPTIONS *`. */
  readonly allow: string;
  private readonly tree = new PathTree<PathEntry | Page>();
  /** By key of the template. */
  private readonly entries = new Map<string, PathEntry>();

  /**
   * @param pages pages of the gateway by path. They take precedence over operations of the same
   *   path. `/*` at the end of a path matches all paths below it.
   * @param previous the table of the previous revision, whose compiled binders are reused if they
   *   are unchanged.
   * @throws {Error} when two operations have the same method and path.
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
          'a page of the gateway takes precedence over an operation of the document',
        );
      } else this.addOperation(operation, template, validators, previous);
    }
    const { entries } = this;
    for (const entry of entries.values()) entry.allow = allowOf(entry.routes);
    this.allow = [...new Set([...entries.values()].flatMap(({ allow }) => allow.split(', ')))].join(', ');
  }

  /** Finds the target of a request. Returns undefined for unknown paths. */
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

  /** The route of a method and a declared path. */
  routeOf(method: string, path: string): Route | undefined {
    return this.entries.get(parseTemplate(path).key)?.routes.get(method);
  }

  /** Adds the pages and returns the keys of their templates. */
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
    if (entry.routes.has(method)) throw new Error(`the document has ${method} ${operation.path} twice`);
    const route = new Route(operation, this.snapshot.document, validators, template, this.context);
    const before = previous?.entries.get(template.key)?.routes.get(method);
    if (before !== undefined) route.reuseBinder(before);
    entry.routes.set(method, route);
  }
}

/**
 * Converts a target in absolute form to origin form (RFC 9112, 3.2). Returns undefined if its
 * authority is not valid.
 */
function originForm(url: string): string | undefined {
  if (!/^https?:\/\//i.test(url)) return url;
  if (!URL.canParse(url)) return undefined;
  const origin = url.replace(/^[^:]*:\/\/[^/?#]*/, '');
  return origin.startsWith('/') ? origin : `/${origin}`;
}

/** Index of the first character after the path. */
function endOfPath(target: string): number {
  const queryStart = target.indexOf('?');
  const fragment = target.indexOf('#');
  if (fragment !== -1 && (queryStart === -1 || fragment < queryStart)) return fragment;
  return queryStart === -1 ? target.length : queryStart;
}

/** Splits the path at its slashes. The loop takes half the time of `split`. */
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
  const others = [...methods].filter((method) => !ORDER.includes(method)).sort();
  return [...ORDER.filter((method) => methods.has(method)), ...others].join(', ');
}

const ORDER = ['GET', 'HEAD', 'QUERY', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'OPTIONS'];
