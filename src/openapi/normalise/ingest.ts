/**
 * Turns a source into a normalised document: OpenAPI 3.1, with all references pointing to
 * components. Every operation is self-contained: it has its parameters, security, event name,
 * fields and body mode.
 */
import { isExtension, readingClaims } from '../../contract/claims.ts';
import { ContractError, type ContractLocation } from '../../contract/errors.ts';
import { isObject, type JsonObject, member, pointerOf } from '../../contract/json.ts';
import { unreadable } from '../../contract/media-types.ts';
import { memberOfMethod, operationsIn } from '../../contract/other-methods.ts';
import { checkMethods } from '../../contract/path-checks.ts';
import type { Steps } from '../../core/time/steps.ts';
import { checkComplexity } from '../checks/complexity.ts';
import type { Ingested, IngestedOperation } from '../model/ingested.ts';
import { type ContractLimits, plainCopying } from '../model/limits.ts';
import { OperationReader } from '../model/operation-reader.ts';
import type { IngestOptions } from '../model/options.ts';
import { parsePath, parsePrefix } from '../model/path-template.ts';
import { slipOfPath } from '../model/slips.ts';
import { parseSpelled } from '../model/spelled-number.ts';
import { ConsequenceFilter } from './consequences.ts';
import { checkReferences } from './cycles.ts';
import { describeEvents } from './event-items.ts';
import { type Normalised, normalise } from './normalise.ts';
import { keepPathItems } from './path-items.ts';

/**
 * Reads a source: JSON text, or a value as `JSON.parse` returns it.
 *
 * @throws {ContractError} with the reason and location of every problem of a document, or of the
 *   first problem of a contract.
 */
export function* ingest(input: unknown, options: IngestOptions): Steps<Ingested> {
  const raw = yield* parse(input, options.limits);
  yield;
  checkVersion(raw);
  // Checked before references are followed, as a router reads the contract.
  if (options.kind === 'worker') yield* readingClaims(raw);
  yield;
  const prefix = parsePrefix(options.prefix);
  const { problems, limits } = options;
  const normalised = yield* normalise(raw, options);
  const { document, components } = normalised;
  yield* checkReferences(normalised, limits.references, problems);
  yield;
  describeEvents(normalised, limits.bytes);
  const { operations, warnings } = yield* readOperations(normalised, prefix, options);
  if (Number.isFinite(limits.schemas)) {
    yield* checkComplexity(document['paths'] as JsonObject, operations, components, limits.schemas);
  }
  problems.throwIfAny();
  return { document, components, operations, warnings };
}

function* parse(input: unknown, limits: ContractLimits): Steps<JsonObject> {
  let value = input;
  if (typeof input === 'string' || Buffer.isBuffer(input)) {
    if (Buffer.byteLength(input) > limits.bytes) throw new ContractError(`larger than ${limits.bytes} bytes`);
    try {
      value = parseSpelled(input.toString());
    } catch (cause) {
      throw new ContractError(
        `is not valid JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
        {},
        { cause },
      );
    }
  }
  const raw = yield* plainCopying(value, limits);
  if (!isObject(raw)) throw new ContractError('a contract must be an object');
  return raw;
}

function checkVersion(raw: JsonObject): void {
  const version = member(raw, 'openapi');
  if (member(raw, 'swagger') !== undefined) {
    throw new ContractError('Swagger 2.0 is not supported; convert it to OpenAPI 3', { pointer: '/swagger' });
  }
  // YAML parses an unquoted 3.1 as a number; its meaning is clear.
  const written = typeof version === 'number' ? String(version) : version;
  if (written !== undefined && !(typeof written === 'string' && /^3\.[012](\.\d+.*)?$/.test(written))) {
    throw new ContractError(`OpenAPI ${JSON.stringify(written)} is not supported; use 3.0, 3.1 or 3.2`, {
      pointer: '/openapi',
    });
  }
}

/** State shared while the operations of one source are read. */
interface Reading {
  readonly reader: OperationReader;
  readonly consequences: ConsequenceFilter;
  readonly options: IngestOptions;
  readonly operations: IngestedOperation[];
  readonly warnings: ContractError[];
}

function* readOperations(
  normalised: Normalised,
  prefix: string,
  options: IngestOptions,
): Steps<Pick<Ingested, 'operations' | 'warnings'>> {
  const { document, components, unserved } = normalised;
  const { problems } = options;
  const paths = member(document, 'paths') ?? {};
  if (!isObject(paths)) throw new ContractError('paths must be an object', { pointer: '/paths' });
  const reading: Reading = {
    reader: new OperationReader(document, components, options),
    consequences: new ConsequenceFilter(normalised, problems),
    options,
    operations: [],
    warnings: [],
  };
  for (const { method, pointer } of unserved) {
    problems.attempt(() => {
      warn(
        new ContractError(
          `the method ${method} is not served: Node.js does not receive it here; it is skipped`,
          { pointer },
        ),
        reading,
      );
    });
  }
  const found: JsonObject = {};
  for (const [path, item] of Object.entries(paths)) {
    if (isExtension(path)) continue;
    yield;
    const location = { path, pointer: pointerOf('paths', path) };
    problems.attempt(() => {
      // Clients never send a fragment (RFC 9110, 7.1), so no request can match such a path.
      if (path.includes('#')) {
        reading.warnings.push(
          new ContractError('no request can have a path with #; the path is skipped', location),
        );
        return;
      }
      const read = readPath(path, isObject(item) ? item : {}, prefix, location, reading);
      if (Object.keys(read.operations).length > 0) found[read.path] = read.operations;
    }, location);
  }
  document['paths'] = found;
  keepPathItems(document, components);
  return reading;
}

function readPath(
  path: string,
  item: JsonObject,
  prefix: string,
  location: ContractLocation & { readonly pointer: string },
  reading: Reading,
): { path: string; operations: JsonObject } {
  const { reader, consequences, operations } = reading;
  const { limits } = reading.options;
  const template = parsePath(prefix + path);
  const slip = slipOfPath(path);
  if (slip !== undefined) warn(new ContractError(slip, location), reading);
  checkMethods(item);
  if (template.path.length > limits.pathLength) {
    throw new ContractError(`longer than ${limits.pathLength} characters`);
  }
  const pathItem = reader.pathItem(item);
  const found: JsonObject = {};
  for (const [method, operation] of operationsIn(pathItem)) {
    const key = memberOfMethod(method);
    const at = { path: template.path, method, pointer: `${location.pointer}/${key}` };
    const read = consequences.attempt(at, [operation, pathItem], () =>
      reader.operation(method, path, template, pathItem, operation),
    );
    if (read === undefined) continue;
    found[key] = read.operation;
    const { path: written, shape, names } = template;
    operations.push({ path: written, shape, names, method, eventName: read.eventName, pointer: at.pointer });
    if (operations.length > limits.operations) {
      throw new ContractError(`more than ${limits.operations} operations`);
    }
    const report = (reason: string): void =>
      warn(new ContractError(reason, { ...at, event: read.eventName }), reading);
    for (const reason of reader.slips(template, pathItem, operation)) report(reason);
    const unread = unreadable(reader.bodyTypes(read.operation));
    if (unread !== undefined) report(unread);
  }
  return { path: template.path, operations: found };
}

/** Reports a likely mistake: a contract is served completely or rejected. */
function warn(problem: ContractError, { options, warnings }: Reading): void {
  if (options.kind === 'worker') throw problem;
  warnings.push(problem);
}
