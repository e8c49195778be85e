/** OpenAPI path templates in the language of the radix tree. */

/** A path template, translated. */
export interface Template {
  /** Names between braces, in order; the tree calls them `p0`, `p1`, … */
  readonly names: readonly string[];
  /** Pattern for the tree. Templates that match the same paths have the same pattern. */
  readonly pattern: string;
  /** Matches a path as it was sent, percent-encoded; one group a name. */
  readonly expression: RegExp;
}

const NAME = /\{([^{}]*)\}/;

/** Translates a template such as `/files/{name}.{ext}`. */
export function translate(path: string): Template {
  const names: string[] = [];
  const patterns: string[] = [];
  const expressions: string[] = [];
  for (const segment of path.split('/')) {
    // Odd parts are names, even parts what stands between them.
    const parts = segment.split(NAME);
    if (parts.length === 1) {
      patterns.push(literal(segment));
      expressions.push('[^/]*');
      continue;
    }
    const whole = parts.length === 3 && parts[0] === '' && parts[2] === '';
    let pattern = '';
    let expression = '';
    for (const [index, part] of parts.entries()) {
      if (index % 2 === 0) {
        pattern += literal(part);
        expression += escapeExpression(part);
        continue;
      }
      pattern += whole
        ? `:p${names.length}`
        : `:p${names.length}(${index === parts.length - 2 ? '.+' : '.+?'})`;
      expression += index === parts.length - 2 ? '([^/]+)' : '([^/]+?)';
      names.push(part);
    }
    patterns.push(pattern);
    expressions.push(expression);
  }
  return { names, pattern: patterns.join('/'), expression: new RegExp(`^${expressions.join('/')}$`) };
}

/** Literal text: the tree matches decoded paths, and reads colons and stars as its own signs. */
function literal(text: string): string {
  let decoded = text;
  try {
    decoded = decodeURI(text);
  } catch {
    // Not percent-encoded: it stands for itself.
  }
  return decoded.replaceAll(':', '::').replaceAll('*', ':star(\\*)');
}

function escapeExpression(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
