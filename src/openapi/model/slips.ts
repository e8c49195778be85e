/**
 * Likely mistakes that make a part of an operation have no effect: OpenAPI ignores unknown members,
 * and a parameter that the path does not name is never read. A worker's contract with such a
 * mistake is rejected. In a document of the operator, which others may have written, it is a
 * warning.
 */
import { ContractError } from '../../contract/errors.ts';
import { isObject, type Json, type JsonObject, member, textOf } from '../../contract/json.ts';
import { checkTemplate } from '../../contract/path-checks.ts';
import { closestTo, suggestion } from '../../core/messages/suggestion.ts';
import { EXTENSIONS } from './extensions.ts';
import type { PathTemplate } from './path-template.ts';

/** Statuses of the Responses Object (OpenAPI 3.1, 4.8.16). Lower case is accepted. */
const STATUS = /^(?:[1-5]\d\d|[1-5]XX|default)$/i;
const STATUSES = ['200', '201', '204', '400', '404', '409', '500', '2XX', '4XX', '5XX', 'default'];

/** Maximum number of edits between a misspelled extension and its name. */
const MAX_EDITS = 2;

/** The mistake in a path template; undefined if there is none. */
export function slipOfPath(path: string): string | undefined {
  try {
    checkTemplate(path);
    return undefined;
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    return error.reason;
  }
}

/**
 * Returns the likely mistakes in an operation.
 *
 * @param parameters parameters of the path item and the operation, with references resolved.
 */
export function* slipsOf(
  template: PathTemplate,
  parameters: readonly (Json | undefined)[],
  operation: JsonObject,
): Iterable<string> {
  yield* slipsOfParameters(template, parameters);
  const responses = member(operation, 'responses');
  for (const status of Object.keys(isObject(responses) ? responses : {})) {
    if (status.startsWith('x-') || STATUS.test(status)) continue;
    yield `a reply cannot have the status ${status}${suggestion(status, STATUSES)}`;
  }
  for (const name of Object.keys(operation)) {
    if (!name.startsWith('x-') || EXTENSIONS.includes(name)) continue;
    const meant = closestTo(name, EXTENSIONS, MAX_EDITS);
    if (meant !== undefined) yield `unknown member ${name} (did you mean ${meant}?)`;
  }
}

function* slipsOfParameters(
  template: PathTemplate,
  parameters: readonly (Json | undefined)[],
): Iterable<string> {
  const declared = new Set(
    parameters.flatMap((parameter) =>
      isObject(parameter) && parameter['in'] === 'path' ? [textOf(parameter, 'name') ?? ''] : [],
    ),
  );
  const free = template.names.filter((name) => !declared.has(name)).map((name) => `{${name}}`);
  for (const name of declared) {
    if (template.names.includes(name)) continue;
    yield `the path has no {${name}}, which is a path parameter${suggestion(`{${name}}`, free)}`;
  }
}
