/**
 * The claims of a worker's contract: the path and the event of each operation. Routers check
 * permissions on these claims. Gateways name events and reject path items with the same functions,
 * so that a gateway serves exactly what a router permitted.
 */
import { isProtocolEvent, isReserved, RESERVED } from '../core/messages/event-name.ts';
import { runAtOnce, type Steps } from '../core/time/steps.ts';
import { ContractError } from './errors.ts';
import { isObject, type Json, type JsonObject, member, pointerOf } from './json.ts';
import { memberOfMethod, moveLaterOperations, operationsIn } from './other-methods.ts';
import { checkMethods, checkTemplate, type HttpMethod } from './path-checks.ts';

export type { HttpMethod };

/** One operation of a worker's contract. */
export interface Claim {
  readonly method: HttpMethod;
  readonly path: string;
  readonly eventName: string;
}

/**
 * Maximum length of an event name of an operation in characters; the wire has the same limit in
 * bytes.
 */
const MAX_NAME = 1024;

/**
 * Returns the operations of a worker's contract.
 *
 * @throws {ContractError} when an operation has a forbidden event, or when the paths and events of
 * the fragment are ambiguous.
 */
export function claimsOf(fragment: unknown): Claim[] {
  return runAtOnce(readingClaims(fragment));
}

/** Like {@link claimsOf}, in steps of one path each. */
export function* readingClaims(fragment: unknown): Steps<Claim[]> {
  if (!isObject(fragment)) throw new ContractError('a contract must be an object');
  const paths = member(fragment, 'paths') ?? {};
  if (!isObject(paths)) throw new ContractError('paths must be an object', { pointer: '/paths' });
  const claims: Claim[] = [];
  for (const [path, item] of Object.entries(paths)) {
    if (isExtension(path) || item === null) continue;
    yield;
    const location = { path, pointer: pointerOf('paths', path) };
    withLocation(location, () => checkPathItem(path, item));
    const copy = isObject(item) ? { ...item } : {};
    moveLaterOperations(copy);
    for (const [method, operation] of operationsIn(copy)) {
      const at = { ...location, method, pointer: `${location.pointer}/${memberOfMethod(method)}` };
      const eventName = withLocation(at, () =>
        checkEventName(eventNameOf(method, path, operation), MAX_NAME),
      );
      claims.push({ method, path, eventName });
    }
  }
  return claims;
}

/** Whether a member of `paths` is an extension instead of a path. */
export function isExtension(path: string): boolean {
  return path.startsWith('x-');
}

/** The declared event of an operation, unchecked. */
export function eventNameOf(method: HttpMethod, path: string, operation: JsonObject): Json {
  return (
    member(operation, 'x-event-name') ?? member(operation, 'operationId') ?? `${method.toUpperCase()} ${path}`
  );
}

/**
 * Checks the event name of an operation, declared or derived from other members.
 * @throws {ContractError} when operations must not use the name.
 */
export function checkEventName(name: Json, maxLength: number): string {
  if (typeof name !== 'string' || name === '' || name.length > maxLength) {
    throw new ContractError(`x-event-name must be a string of 1 to ${maxLength} characters`);
  }
  // A control character or half of a surrogate pair would not survive logs or the wire.
  if (/[\u0000-\u001f\u007f\p{Cs}]/u.test(name)) {
    throw new ContractError('x-event-name must not contain control characters or unpaired surrogates');
  }
  if (name !== name.trim()) {
    throw new ContractError(
      `x-event-name must not start or end with white space, got ${JSON.stringify(name)}`,
    );
  }
  if (isReserved(name)) {
    throw new ContractError(
      `the event name ${JSON.stringify(name)} starts with ${RESERVED}: such events are reserved for routers and servers`,
    );
  }
  if (isProtocolEvent(name)) {
    throw new ContractError(`the event name ${name} is used by the protocol itself`);
  }
  return name;
}

/**
 * Checks a path item of a worker's contract. It must contain its operations directly: a `$ref`
 * could lead to operations that the router has not checked. Its path must not have dot segments,
 * which callers and proxies resolve to another path.
 * @throws {ContractError} for a forbidden path or path item.
 */
export function checkPathItem(path: string, item: Json): void {
  checkTemplate(path);
  if (!isObject(item)) throw new ContractError('the path item must be an object');
  checkMethods(item);
  if (Object.hasOwn(item, '$ref')) {
    throw new ContractError(
      'the path item of a contract must not be a $ref; write its operations at the path',
    );
  }
}

function withLocation<T>(location: { path: string; pointer: string; method?: HttpMethod }, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ContractError ? error.within(location) : error;
  }
}
