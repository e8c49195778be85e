/** Patterns of schemas: which engine runs them, and which ones are not run. */
import { ContractError } from '../../contract/errors.ts';
import { type JsonObject, textOf } from '../../contract/json.ts';
import type { IngestOptions } from '../model/options.ts';
import { automatonOf, type Matcher } from './automaton.ts';

/**
 * Compiles a pattern in Unicode mode, as JSON Schema requires. If that fails, it compiles the
 * pattern without this mode, because many real documents need that. An automaton replaces the
 * engine of JavaScript where that may need more than one pass over a text.
 *
 * @throws {SyntaxError} when the pattern is not a regular expression in either mode.
 */
export function compilePattern(pattern: string): Matcher {
  const regex = compileRegExp(pattern);
  const automaton = automatonOf(pattern, regex.unicode);
  return automaton === undefined || automaton.isPlain ? regex : automaton;
}

function compileRegExp(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return new RegExp(pattern);
  }
}

/**
 * Checks the pattern of a schema and returns the schema to use. A worker's pattern that cannot run
 * as an automaton (it uses lookaround or back references, or is too large) could block the gateway.
 * It is renamed to `x-pattern`, and the worker has to check it.
 *
 * @throws {ContractError} when the pattern is too long or not a regular expression.
 */
export function checkPattern(
  schema: JsonObject,
  pattern: string,
  pointer: string,
  { limits, kind }: Pick<IngestOptions, 'limits' | 'kind'>,
): JsonObject {
  if (pattern.length > limits.patternLength) {
    throw new ContractError(`a pattern longer than ${limits.patternLength} characters`, { pointer });
  }
  let regex: RegExp;
  try {
    regex = compileRegExp(pattern);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ContractError(
      `the pattern is not a valid regular expression: ${reason}`,
      { pointer },
      { cause },
    );
  }
  if (kind === 'document' || automatonOf(pattern, regex.unicode) !== undefined) return schema;
  const left: JsonObject = { ...schema, 'x-pattern': pattern };
  delete left['pattern'];
  const sentence = 'The worker checks x-pattern.';
  const description = textOf(schema, 'description');
  left['description'] = description === undefined ? sentence : `${description} ${sentence}`;
  return left;
}
