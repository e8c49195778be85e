/**
 * paths: path templates of OpenAPI. Parsing, the tree that finds them, and the values of their
 * parameters.
 *
 * This file parses templates and extracts the parameters of a path.
 */
import { normalText } from '../../openapi/model/normal-text.ts';
import { type Accepts, splitSegment } from './segment-split.ts';

/** A segment of a template: the text between two slashes. */
export interface TemplateSegment {
  /**
   * The texts before, between and after the parameters, normalised. One text without parameters.
   */
  readonly literals: readonly string[];
  /** Index of its first parameter in the template. */
  readonly first: number;
  /** Equal for segments that match the same texts. */
  readonly key: string;
}

/** A parsed path template. */
export interface Template {
  /** Names of the parameters, in order. */
  readonly names: readonly string[];
  readonly segments: readonly TemplateSegment[];
  /** Equal for templates that match the same paths. */
  readonly key: string;
}

const NAME = /\{([^{}]*)\}/;

/** Parses a template such as `/files/{name}.{ext}`. */
export function parseTemplate(path: string): Template {
  const names: string[] = [];
  const segments = path
    .slice(1)
    .split('/')
    .map((segment): TemplateSegment => {
      const first = names.length;
      // Odd parts are names, even parts are literals.
      const parts = segment.split(NAME);
      names.push(...parts.filter((_, index) => index % 2 === 1));
      const literals = parts.filter((_, index) => index % 2 === 0).map(normalText);
      return { literals, first, key: literals.join('{}') };
    });
  return { names, segments, key: segments.map(({ key }) => key).join('/') };
}

/** Whether a segment has both parameters and literal text. */
export function isMixed({ literals }: TemplateSegment): boolean {
  return literals.length > 2 || (literals.length === 2 && literals.some((literal) => literal !== ''));
}

/** The number of literal characters in a segment. */
export function weightOf({ literals }: TemplateSegment): number {
  return literals.reduce((sum, literal) => sum + literal.length, 0);
}

/**
 * Extracts the raw texts of the parameters from a path that matches the template.
 * @param raw segments of the path, as the client sent them.
 * @param accepts whether a text is a valid value of a parameter. It decides between several ways to
 *   split a segment.
 * @returns the texts in the order of the names.
 */
export function textsOf({ segments }: Template, raw: readonly string[], accepts: Accepts): string[] {
  const texts: string[] = [];
  for (const [index, segment] of segments.entries()) {
    if (segment.literals.length === 1) continue;
    const text = raw[index] ?? '';
    const { literals, first } = segment;
    if (isMixed(segment)) {
      texts.push(...(splitSegment(text, literals, (own, value) => accepts(first + own, value)) ?? []));
    } else texts.push(text);
  }
  return texts;
}
