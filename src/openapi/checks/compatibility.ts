/**
 * Decides whether workers of two versions of a contract can serve at the same time. Callers and
 * workers of the earlier version must not notice the later one, and replies from workers of the
 * earlier version must conform to the later document.
 */
import { ContractError } from '../../contract/errors.ts';
import { canonical, type Json, type JsonObject } from '../../contract/json.ts';
import type { Steps } from '../../core/time/steps.ts';
import type { Ingested } from '../model/ingested.ts';
import type { Operation, ParameterBinding } from '../model/operation.ts';
import { operationOf } from '../model/operations.ts';
import type { ReadContract } from '../model/read-contract.ts';
import { rejectedValues, type SchemaComparison } from './schema-compatibility.ts';
import { loweredLimits, streamIncompatibility } from './stream-compatibility.ts';

/** Result of comparing two versions of a contract. */
export interface ContractComparison {
  /** Why the later version cannot replace the earlier one; undefined if it can. */
  readonly reason: string | undefined;
  /**
   * Events of the earlier version whose data has changed. The later version may accept requests for
   * them that the earlier one rejects.
   */
  readonly changed: readonly string[];
}

const STRICT: SchemaComparison = { ignoresMembers: false };
const TOLERANT: SchemaComparison = { ignoresMembers: true };

/** Compares two versions of a contract. */
export function* compareContracts(older: ReadContract, newer: ReadContract): Steps<ContractComparison> {
  const [before, after] = [older.ingested, newer.ingested];
  const wider = new Set<string>();
  const later = new Map<string, Operation>();
  for (const { key, operation } of operationsIn(after)) {
    later.set(key, operation);
    yield;
  }
  try {
    for (const { key, operation } of operationsIn(before)) {
      const now = later.get(key);
      if (now === undefined) throw incompatible(operation, 'the operation is missing');
      const pair = new Pair(operation, now, schemasIn(before), schemasIn(after));
      pair.check();
      if (pair.wider) wider.add(operation.eventName);
      yield;
    }
  } catch (error) {
    if (error instanceof ContractError) return { reason: error.message, changed: [] };
    throw error;
  }
  const [old, now] = [older.fingerprints, newer.fingerprints];
  yield* old.ofEventSchemas();
  yield* now.ofEventSchemas();
  const names = new Set(before.operations.map(({ eventName }) => eventName));
  const changed: string[] = [];
  for (const name of names) {
    if (wider.has(name) || old.event(name) !== now.event(name)) changed.push(name);
    yield;
  }
  return { reason: undefined, changed };
}

/** One operation in two versions. */
class Pair {
  /**
   * Whether the schemas of the later version accept requests that those of the earlier version
   * reject.
   */
  wider = false;

  constructor(
    private readonly before: Operation,
    private readonly after: Operation,
    private readonly schemasBefore: JsonObject,
    private readonly schemasAfter: JsonObject,
  ) {}

  /** @throws {ContractError} when the later version cannot replace the earlier one. */
  check(): void {
    const { before, after } = this;
    this.require(before.eventName === after.eventName, `its event changed to ${after.eventName}`);
    this.require(before.idempotent || !after.idempotent, 'it became idempotent');
    this.require(
      before.unknownQuery === 'reject' || after.unknownQuery === 'ignore',
      'unknown query names are rejected',
    );
    this.require(
      after.idempotency !== 'required' || before.idempotency === 'required',
      'the header Idempotency-Key is required',
    );
    this.require(
      before.idempotency === undefined || after.idempotency !== undefined,
      'the header Idempotency-Key is ignored',
    );
    this.require(isNoStricter(before.security, after.security), 'security requires more of callers');
    this.require(
      (before.async === 'required') === (after.async === 'required'),
      'whether x-async is required changed',
    );
    this.wider = before.unknownQuery !== after.unknownQuery;
    this.parameters();
    const schemas = { before: this.schemasBefore, after: this.schemasAfter };
    const stream = streamIncompatibility(before, after, schemas);
    if (stream !== undefined) throw this.incompatible(stream);
    this.wider ||= loweredLimits(after.uploadLimits, before.uploadLimits).length > 0;
    this.body();
    this.replies();
  }

  private parameters(): void {
    const now = new Map(this.after.parameters.map((one) => [nameOf(one), one]));
    for (const one of this.before.parameters) {
      const name = nameOf(one);
      const other = now.get(name);
      now.delete(name);
      if (other === undefined) throw this.incompatible(`${name} is missing`);
      this.require(serialised(one) === serialised(other), `${name} is serialised differently`);
      this.require(one.required || !other.required, `${name} is required`);
      this.require(one.allowEmptyValue <= other.allowEmptyValue, `${name} must not be empty`);
      this.accepts(one.schema, other.schema, name);
    }
    for (const [name, { required }] of now) {
      this.require(!required, `${name} is new and required`);
    }
  }

  private body(): void {
    const { before, after } = this;
    this.require(before.bodyRequired || !after.bodyRequired, 'the body is required');
    if (before.bodyMode === 'none') return;
    this.require(before.bodyMode === after.bodyMode, 'the body is mapped to event data differently');
    for (const { mediaType, schema, encoding } of before.bodies) {
      const other = after.bodies.find((one) => one.mediaType === mediaType);
      if (other === undefined) throw this.incompatible(`the body no longer accepts ${mediaType}`);
      const same = canonical(encoding as unknown as Json) === canonical(other.encoding as unknown as Json);
      this.require(same, `${mediaType} is encoded differently`);
      this.accepts(schema, other.schema, `the body (${mediaType})`);
    }
  }

  private replies(): void {
    const { before, after, schemasBefore, schemasAfter } = this;
    for (const { status, schema } of before.replies) {
      const now = after.replies.find((one) => one.status === status);
      if (now === undefined) throw this.incompatible(`the reply ${status} is missing`);
      const [old, later] = [
        { schema: schema as Json, schemas: schemasBefore },
        { schema: now.schema as Json, schemas: schemasAfter },
      ];
      // Replies of the earlier version must conform to the later document.
      const invalid = rejectedValues(old, later, STRICT);
      if (invalid !== undefined) throw this.incompatible(`the reply ${status}: ${invalid}`);
      // Callers that know the earlier document must understand the replies of the later version.
      const wider = rejectedValues(later, old, TOLERANT);
      if (wider !== undefined) throw this.incompatible(`the reply ${status} is wider: ${wider}`);
    }
  }

  /** Requires that the later schema accepts every value that the earlier one accepts. */
  private accepts(before: unknown, after: unknown, what: string): void {
    const old = { schema: before as Json, schemas: this.schemasBefore };
    const now = { schema: after as Json, schemas: this.schemasAfter };
    const reason = rejectedValues(old, now, STRICT);
    if (reason !== undefined) throw this.incompatible(`${what}: ${reason}`);
    this.wider ||= rejectedValues(now, old, STRICT) !== undefined;
  }

  private require(holds: boolean, reason: string): void {
    if (!holds) throw this.incompatible(reason);
  }

  private incompatible(reason: string): ContractError {
    return incompatible(this.before, reason);
  }
}

/**
 * Returns whether every caller that the earlier version admits is still admitted: for each of its
 * alternatives, a later one requires no more.
 */
export function isNoStricter(before: Operation['security'], after: Operation['security']): boolean {
  if (after.length === 0) return true;
  const earlier = before.length === 0 ? [{}] : before;
  return earlier.every((one: Readonly<Record<string, readonly string[]>>) =>
    after.some((other) =>
      Object.entries(other).every(([scheme, scopes]) => {
        const given = Object.hasOwn(one, scheme) ? one[scheme] : undefined;
        return given !== undefined && scopes.every((scope) => given.includes(scope));
      }),
    ),
  );
}

function nameOf({ in: location, name }: ParameterBinding): string {
  return `the ${location} parameter ${name}`;
}

/** Returns how a parameter is serialised and which field it fills. */
function serialised({ field, style, explode, contentType, allowReserved }: ParameterBinding): string {
  return JSON.stringify([field, style, explode, contentType, allowReserved]);
}

function incompatible({ method, path, eventName: event }: Operation, reason: string): ContractError {
  return new ContractError(reason, { method, path, event });
}

function schemasIn({ components }: Ingested): JsonObject {
  return components['schemas'] ?? {};
}

function* operationsIn(ingested: Ingested): Iterable<{ key: string; operation: Operation }> {
  const document = { ...ingested.document, components: ingested.components };
  for (const { path, method, shape } of ingested.operations) {
    const operation = operationOf(document, { path, method, source: '', available: true });
    yield { key: `${method} ${shape}`, operation };
  }
}
