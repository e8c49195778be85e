/**
 * The templates of a document as a tree of segments. At each segment, literal text takes
 * precedence; then mixed segments, by the length of their literal text; then a parameter; then the
 * `*` of a page. Where earlier segments are equal, later ones decide. The order in which templates
 * are added does not matter. A lookup visits each node at most once.
 */
import { normalText } from '../../openapi/model/normal-text.ts';
import { isMixed, type Template, type TemplateSegment, weightOf } from './path-pattern.ts';
import { matchesSegment } from './segment-split.ts';

interface MixedEdge<T> {
  readonly segment: TemplateSegment;
  readonly weight: number;
  readonly node: Node<T>;
}

class Node<T> {
  readonly literals = new Map<string, Node<T>>();
  /** Sorted by weight, the greatest first. */
  readonly mixed: MixedEdge<T>[] = [];
  parameter: Node<T> | undefined;
  /** Target of all paths below. */
  rest: T | undefined;
  target: T | undefined;

  child(segment: TemplateSegment): Node<T> {
    if (segment.literals.length === 1) {
      let node = this.literals.get(segment.key);
      if (node === undefined) this.literals.set(segment.key, (node = new Node()));
      return node;
    }
    if (!isMixed(segment)) return (this.parameter ??= new Node());
    const known = this.mixed.find((edge) => edge.segment.key === segment.key);
    if (known !== undefined) return known.node;
    const edge = { segment, weight: weightOf(segment), node: new Node<T>() };
    this.mixed.push(edge);
    this.mixed.sort(byWeight);
    return edge.node;
  }
}

/** The path of a lookup. */
interface SearchedPath {
  readonly raw: readonly string[];
  readonly normal: readonly string[];
  /** See `traceableText`. */
  readonly loose: boolean;
}

/** Finds the targets of paths. */
export class PathTree<T> {
  private readonly root = new Node<T>();

  /** Adds a template. Its key must be new. */
  add(template: Template, target: T): void {
    this.nodeOf(template).target = target;
  }

  /** Adds a target for all paths below a template. */
  addBelow(template: Template, target: T): void {
    this.nodeOf(template).rest = target;
  }

  private nodeOf(template: Template): Node<T> {
    return template.segments.reduce((node, segment) => node.child(segment), this.root);
  }

  /**
   * Finds the targets of a path. There are several if the values of the parameters decide.
   * @param raw segments as the client sent them, with valid percent-encoding.
   * @param escaped whether they contain an escape.
   */
  find(raw: readonly string[], escaped: boolean): readonly T[] {
    if (!escaped) {
      const target = this.findDirect(raw);
      return target === undefined ? search([this.root], 0, { raw, normal: raw, loose: false }) : [target];
    }
    const normal = raw.map(normalText);
    const found = search([this.root], 0, { raw, normal, loose: false });
    return found.length > 0 ? found : search([this.root], 0, { raw, normal, loose: true });
  }

  /** Finds the target if the first choice at each node matches, which is true for most paths. */
  private findDirect(raw: readonly string[]): T | undefined {
    let node: Node<T> | undefined = this.root;
    for (let index = 0; index < raw.length; index += 1) {
      const text = raw[index] ?? '';
      const literal: Node<T> | undefined = node.literals.get(text);
      if (literal !== undefined) node = literal;
      else if (node.mixed.length === 0 && text !== '' && node.parameter !== undefined) node = node.parameter;
      else return undefined;
    }
    return node.target;
  }
}

/**
 * Finds the targets of the rest of a path.
 * @param nodes the nodes that the path reaches up to this depth with the same precedence.
 */
function search<T>(nodes: readonly Node<T>[], depth: number, path: SearchedPath): readonly T[] {
  if (depth === path.normal.length) return defined(nodes.map(({ target }) => target));
  for (const next of nextNodes(nodes, depth, path)) {
    if (next.length === 0) continue;
    const found = search(next, depth + 1, path);
    if (found.length > 0) return found;
  }
  return defined(nodes.map(({ rest }) => rest));
}

/** The nodes for the next segment, in groups of equal precedence. */
function* nextNodes<T>(
  nodes: readonly Node<T>[],
  depth: number,
  { raw, normal, loose }: SearchedPath,
): Generator<readonly Node<T>[]> {
  const text = normal[depth] ?? '';
  yield defined(nodes.map(({ literals }) => literals.get(text)));
  const edges = nodes.flatMap(({ mixed }) => mixed).sort(byWeight);
  for (let at = 0, end = 0; at < edges.length; at = end) {
    while (end < edges.length && edges[end]?.weight === edges[at]?.weight) end += 1;
    const equal = edges.slice(at, end);
    yield equal
      .filter(({ segment }) => matchesSegment(raw[depth] ?? '', segment.literals, loose))
      .map(({ node }) => node);
  }
  if (text !== '') yield defined(nodes.map(({ parameter }) => parameter));
}

function byWeight<T>(a: MixedEdge<T>, b: MixedEdge<T>): number {
  return b.weight - a.weight || (a.segment.key < b.segment.key ? -1 : 1);
}

function defined<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}
