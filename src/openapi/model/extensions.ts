/** The `x-` fields of an operation that the gateway interprets. */
import { ContractError } from '../../contract/errors.ts';
import { type Json, type JsonObject, member } from '../../contract/json.ts';

/** Maximum timeout of a Node.js timer, in milliseconds. */
const MAX_TIMEOUT = 2 ** 31 - 1;

type Check = (value: Json) => string | undefined;

const isBoolean: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
const isDuration: Check = (value) =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) <= MAX_TIMEOUT
    ? undefined
    : `must be an integer from 1 to ${MAX_TIMEOUT}, in milliseconds`;
const oneOf =
  (...allowed: string[]): Check =>
  (value) =>
    allowed.includes(value as string) ? undefined : `must be ${allowed.join(' or ')}`;

const ASYNC = 'must be true, false or required';

const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['x-event-body', oneOf('flat', 'nested')],
  ['x-unknown-query', oneOf('reject', 'ignore')],
  ['x-idempotent', isBoolean],
  ['x-etag', isBoolean],
  ['x-resumable', isBoolean],
  ['x-idempotency', oneOf('optional', 'required')],
  ['deprecated', isBoolean],
  ['x-timeout-ms', isDuration],
  ['x-stall-ms', isDuration],
  ['x-async', (value) => (value === 'required' || typeof value === 'boolean' ? undefined : ASYNC)],
  ['x-async-timeout-ms', isDuration],
  [
    'x-sticky-key',
    (value) => (typeof value === 'string' && value !== '' ? undefined : 'must be the name of a field'),
  ],
  [
    'x-version-header',
    (value) =>
      typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(value)
        ? undefined
        : 'must be the name of a header',
  ],
  ['x-deprecated-since', (value) => (sunsetDate(value) === undefined ? 'must be a date' : undefined)],
  ['x-sunset', (value) => (sunsetDate(value) === undefined ? 'must be a date' : undefined)],
]);

/** Member of the header parameter with which callers choose a version. It is not event data. */
export const VERSION_MARK = 'x-version-choice';

/** Member of the header parameter Prefer, which the gateway adds, and which is not event data. */
export const PREFERENCE_MARK = 'x-preferences';

/** Member of the response 202 that the gateway adds to an asynchronous operation. */
export const LATER_REPLY_MARK = 'x-later-reply';

/** Names of the extensions of an operation. */
export const EXTENSIONS: readonly string[] = [...CHECKS.keys(), 'x-event-name'].filter((name) =>
  name.startsWith('x-'),
);

/**
 * Checks the extensions of an operation.
 *
 * @throws {ContractError} when one of them is not valid.
 */
export function checkExtensions(operation: JsonObject): void {
  for (const [name, check] of CHECKS) {
    const value = member(operation, name);
    const problem = value === undefined ? undefined : check(value);
    if (problem !== undefined) throw new ContractError(`${name} ${problem}, not ${shown(value)}`);
  }
}

/**
 * Returns a date in the format of HTTP (RFC 9110, 5.6.7). It accepts this format and that of RFC
 * 3339, and returns undefined for any other value.
 */
export function sunsetDate(value: Json | undefined): string | undefined {
  if (typeof value !== 'string' || !/^(\d{4}-\d\d-\d\d([T ]|$)|[A-Z][a-z]{2}, )/.test(value))
    return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date.toUTCString();
}

/**
 * Returns such a date in seconds since 1970, as RFC 9745 requires it in its header, or undefined if
 * the value is not a date.
 */
export function secondsOf(value: Json | undefined): number | undefined {
  const date = sunsetDate(value);
  return date === undefined ? undefined : Date.parse(date) / 1000;
}

function shown(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
