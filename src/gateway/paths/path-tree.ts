/**
 * The templates of a document as a tree of segments. At each segment, literal text takes
 * precedence; then mixed segments, by the length of their literal text; then a parameter; then the
 * `*` of a page. The order in which templates are added does not matter. A lookup visits each node
 * at most once.
 */
import { normalText } from '../../openapi/model/normal-text.ts';
import { isMixed, type Template, type TemplateSegment, weightOf } from './path-pattern.ts';
import { matchesSegment } from './segment-split.ts';

interface MixedEdge<T> {
  readonly segment: TemplateSegment;
  readonly weight: number;
  readonly node: Node<T>;
}

interface Leaf<T> {
  readonly target: T;
  /** Weights of the segments. Leaves with the same rank have the same precedence. */
  readonly rank: string;
}

class Node<T> {
  readonly literals = new Map<string, Node<T>>();
  readonly mixed: MixedEdge<T>[] = [];
  parameter: Node<T> | undefined;
  /** Matches all remaining segments of a path. */
  rest: Leaf<T> | undefined;
  leaf: Leaf<T> | undefined;

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
    this.mixed.sort((a, b) => b.weight - a.weight || (a.segment.key < b.segment.key ? -1 : 1));
    return edge.node;
  }
}

/** The state of a lookup. */
interface PathSearch<T> {
  readonly raw: readonly string[];
  readonly normal: readonly string[];
  /** See `traceableText`. */
  readonly loose: boolean;
  readonly found: Leaf<T>[];
}

/** Finds the targets of paths. */
export class PathTree<T> {
  private readonly root = new Node<T>();
  /** Number of templates with mixed segments, by rank. */
  private readonly mixedRanks = new Map<string, number>();

  /** Adds a template. Its key must be new. */
  add(template: Template, target: T): void {
    let node = this.root;
    for (const segment of template.segments) node = node.child(segment);
    const rank = template.segments.map(rankOf).join('/');
    node.leaf = { target, rank };
    if (template.segments.some(isMixed)) this.mixedRanks.set(rank, (this.mixedRanks.get(rank) ?? 0) + 1);
  }

  /** Adds a target for all paths below a template. */
  addBelow(template: Template, target: T): void {
    let node = this.root;
    for (const segment of template.segments) node = node.child(segment);
    node.rest = { target, rank: '' };
  }

  /**
   * Finds the targets of a path. There are several if the values of the parameters decide.
   * @param raw segments as the client sent them, with valid percent-encoding.
   * @param escaped whether they contain an escape.
   */
  find(raw: readonly string[], escaped: boolean): readonly T[] {
    if (!escaped) {
      const target = this.findDirect(raw);
      return target === undefined ? this.search({ raw, normal: raw, loose: false, found: [] }) : [target];
    }
    const normal = raw.map(normalText);
    const found = this.search({ raw, normal, loose: false, found: [] });
    return found.length > 0 ? found : this.search({ raw, normal, loose: true, found: [] });
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
    return node.leaf?.target;
  }

  private search(search: PathSearch<T>): readonly T[] {
    this.visit(this.root, 0, search);
    return search.found.map(({ target }) => target);
  }

  /** Visits a node. Returns whether the search is complete. */
  private visit(node: Node<T>, depth: number, search: PathSearch<T>): boolean {
    const { raw, normal, loose } = search;
    const text = normal[depth];
    if (text === undefined) return node.leaf !== undefined && this.addMatch(node.leaf, search);
    const literal = node.literals.get(text);
    if (literal !== undefined && this.visit(literal, depth + 1, search)) return true;
    for (const edge of node.mixed) {
      if (!matchesSegment(raw[depth] ?? '', edge.segment.literals, loose)) continue;
      if (this.visit(edge.node, depth + 1, search)) return true;
    }
    if (node.parameter !== undefined && text !== '' && this.visit(node.parameter, depth + 1, search))
      return true;
    return node.rest !== undefined && this.addMatch(node.rest, search);
  }

  private addMatch(leaf: Leaf<T>, { found }: PathSearch<T>): boolean {
    const rank = found[0]?.rank ?? leaf.rank;
    if (leaf.rank === rank) found.push(leaf);
    return (this.mixedRanks.get(rank) ?? 0) < 2;
  }
}

function rankOf(segment: TemplateSegment): string {
  if (segment.literals.length === 1) return '=';
  return isMixed(segment) ? String(weightOf(segment)) : '';
}
