/** OpenAPI path templates: their segments, and how the texts of their parameters are found in a path. */
import { normalText } from '../../openapi/model/normal-text.ts';
import { type Accepts, splitSegment } from './segment-split.ts';

/** A segment: text between slashes. */
export interface TemplateSegment {
  /** What stands before, between and after the parameters, in normal form; a single text without parameters. */
  readonly literals: readonly string[];
  /** Number of its first parameter within the template. */
  readonly first: number;
  /** Equal for segments that match the same texts. */
  readonly key: string;
}

/** A path template, taken apart. */
export interface Template {
  /** Names between braces, in order. */
  readonly names: readonly string[];
  readonly segments: readonly TemplateSegment[];
  /** Equal for templates that match the same paths. */
  readonly key: string;
}

const NAME = /\{([^{}]*)\}/;

/** Takes apart a template such as `/files/{name}.{ext}`. */
export function parseTemplate(path: string): Template {
  const names: string[] = [];
  const segments = path
    .slice(1)
    .split('/')
    .map((segment): TemplateSegment => {
      const first = names.length;
      // Odd parts are names, even parts what stands between them.
      const parts = segment.split(NAME);
      names.push(...parts.filter((_, index) => index % 2 === 1));
      const literals = parts.filter((_, index) => index % 2 === 0).map(normalText);
      return { literals, first, key: literals.join('{}') };
    });
  return { names, segments, key: segments.map(({ key }) => key).join('/') };
}

/** Whether a segment has parameters beside literal text. */
export function isMixed({ literals }: TemplateSegment): boolean {
  return literals.length > 2 || (literals.length === 2 && literals.some((literal) => literal !== ''));
}

/** Characters of literal text. */
export function weightOf({ literals }: TemplateSegment): number {
  return literals.reduce((sum, literal) => sum + literal.length, 0);
}

/**
 * The raw texts of the parameters of a path that the template matches, in the order of the names.
 * @param raw segments of the path as it was sent.
 * @param accepts whether a text may be the value of a parameter. It decides where literal text stands several times.
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
