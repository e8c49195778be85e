/** Layout of TypeScript declarations: comments, string literals, members and unions. */

/** Maximum length of an object type or a union on one line. */
const LINE = 88;

/** Maximum length of a line of a comment, without its indentation. */
const COMMENT = 92;

/** Indents all lines but the first by one level. */
export function indented(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

/** Returns a string literal. */
export function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** Returns a name as the key of a member: quoted unless it is an identifier. */
export function keyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}

/** Returns a documentation comment with a line break at its end; empty if there is no text. */
export function commentOf(text: string | undefined, deprecated = false): string {
  const lines = (text ?? '').trim().split(/\r?\n/).flatMap(wrapped);
  if (deprecated) lines.push('@deprecated');
  const safe = lines.filter((line, at) => line !== '' || at > 0).map((line) => line.replaceAll('*/', '*\\/'));
  if (safe.length === 0) return '';
  if (safe.length === 1) return `/** ${safe[0]} */\n`;
  return `/**\n${safe.map((line) => ` * ${line}`.trimEnd()).join('\n')}\n */\n`;
}

function wrapped(line: string): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.trim().split(/\s+/)) {
    if (current !== '' && current.length + word.length >= COMMENT) {
      lines.push(current);
      current = '';
    }
    current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}

/** Returns an object type: on one line if the members are short and have no comments. */
export function objectOf(members: readonly string[]): string {
  const line = `{ ${members.join('; ')} }`;
  return line.length <= LINE && !line.includes('\n') ? line : blockOf(members);
}

/** Returns an object type with a line for each member. */
export function blockOf(members: readonly string[]): string {
  return `{${members.map((member) => indented(`\n${member};`)).join('')}\n}`;
}

/** Returns a union: on one line if it is short. */
export function unionOf(alternatives: readonly string[]): string {
  const line = alternatives.join(' | ');
  if (alternatives.length === 1 || (line.length <= LINE && !line.includes('\n'))) return line;
  return alternatives.map((one) => indented(`\n| ${indented(one)}`)).join('');
}
