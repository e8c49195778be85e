/**
 * Regular expressions of schemas: which engine runs them, and which are not run at all.
 */
import { ContractError } from '../../contract/errors.ts';
import { type JsonObject, textOf } from '../../contract/json.ts';
import type { IngestOptions } from '../model/options.ts';
import { automatonOf, type Matcher } from './automaton.ts';

/**
 * Compiles a pattern as JSON Schema asks (Unicode mode), or, as many real documents need it, without. Where
 * JavaScript's engine may need more than one pass over a text, an automaton takes its place.
 * @throws SyntaxError when it is no regular expression either way.
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
 * The schema, when its pattern can be used. A worker's pattern that no automaton can run (it looks around, refers
 * back, or is huge) could hold up the gateway: it is shown as `x-pattern`, and left to the worker.
 * @throws ContractError when the pattern is too long or no regular expression.
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
    throw new ContractError(`the pattern cannot be used: ${reason}`, { pointer }, { cause });
  }
  if (kind === 'document' || automatonOf(pattern, regex.unicode) !== undefined) return schema;
  const left: JsonObject = { ...schema, 'x-pattern': pattern };
  delete left['pattern'];
  const sentence = 'The worker checks x-pattern.';
  const description = textOf(schema, 'description');
  left['description'] = description === undefined ? sentence : `${description} ${sentence}`;
  return left;
}
