/** Compares two versions of a document, operation by operation. */
import { type JsonObject, member } from '../../contract/json.ts';
import { memberOfMethod } from '../../contract/other-methods.ts';
import type { Steps } from '../../core/time/steps.ts';
import { isNoStricter } from '../checks/compatibility.ts';
import type { Ingested, IngestedOperation } from '../model/ingested.ts';
import type { Operation } from '../model/operation.ts';
import { operationOf } from '../model/operations.ts';
import { CHANGE_LEVELS, type ChangeLevel, type ContractChange, type Report } from './change.ts';
import { compareBody, compareParameters } from './request-changes.ts';
import { compareResponses } from './response-changes.ts';
import { type BothSides, DirectedSide } from './schema-changes.ts';
import { compareStreams } from './stream-changes.ts';

/** One version of an operation. */
interface Version {
  readonly entry: IngestedOperation;
  readonly operation: Operation;
  /** The operation object of the document. */
  readonly object: JsonObject;
}

/**
 * Compares two versions of a document for its HTTP clients, in steps.
 *
 * @param now time in milliseconds since 1970, for dates after which an operation may be removed.
 * @returns the changes by operation, in the order of the earlier document; those of one operation
 *   from the worst.
 */
export function* compareDocuments(older: Ingested, newer: Ingested, now: number): Steps<ContractChange[]> {
  const [before, after] = [schemasIn(older), schemasIn(newer)];
  const sides = (direction: 'request' | 'response'): BothSides => ({
    before: new DirectedSide(before, direction),
    after: new DirectedSide(after, direction),
  });
  const [requests, responses] = [sides('request'), sides('response')];
  const later = new Map<string, Version>();
  for (const version of versionsIn(newer)) {
    later.set(keyOf(version.entry), version);
    yield;
  }
  const changes: ContractChange[] = [];
  const reporter = ({ entry: { method, path } }: Version): [Report, () => void] => {
    const found: ContractChange[] = [];
    const report: Report = (level, rule, text) => found.push({ level, rule, method, path, text });
    return [report, () => changes.push(...sorted(found))];
  };
  for (const version of versionsIn(older)) {
    const [report, done] = reporter(version);
    const next = later.get(keyOf(version.entry));
    later.delete(keyOf(version.entry));
    if (next === undefined) reportRemoved(version.operation, now, report);
    else {
      compareOperation(version.operation, next.operation, report);
      compareParameters(requests, version.operation, next.operation, report);
      compareBody(requests, version.operation, next.operation, report);
      const [old, current] = [
        { components: older.components, operation: version.object },
        { components: newer.components, operation: next.object },
      ];
      compareResponses(responses, old, current, report);
      compareStreams(responses, version.operation, next.operation, report);
    }
    done();
    yield;
  }
  for (const version of later.values()) {
    const [report, done] = reporter(version);
    report('info', 'operation-added', 'the operation is new');
    done();
  }
  return changes;
}

function reportRemoved({ deprecated, sunset }: Operation, now: number, report: Report): void {
  const isOver = sunset !== undefined && Date.parse(sunset) <= now;
  if (deprecated && isOver) report('info', 'operation-removed', `the operation was removed after ${sunset}`);
  else report('breaking', 'operation-removed', 'the operation was removed');
}

function compareOperation(before: Operation, after: Operation, report: Report): void {
  if (before.operationId !== after.operationId && before.operationId !== undefined) {
    const name = after.operationId ?? 'missing';
    report('warning', 'operation-id-changed', `operationId ${before.operationId} is now ${name}`);
  }
  if (before.eventName !== after.eventName) {
    report('info', 'event-changed', `the event ${before.eventName} is now ${after.eventName}`);
  }
  if (!before.deprecated && after.deprecated) {
    report('info', 'operation-deprecated', 'the operation is deprecated');
  } else if (before.deprecated && !after.deprecated) {
    report('info', 'operation-not-deprecated', 'the operation is no longer deprecated');
  }
  const [sunset, laterSunset] = [before.sunset, after.sunset].map((text) => Date.parse(text ?? ''));
  if (laterSunset !== undefined && sunset !== undefined && laterSunset < sunset) {
    report('warning', 'sunset-earlier', `the operation may be removed earlier, from ${after.sunset}`);
  }
  if (before.unknownQuery === 'ignore' && after.unknownQuery === 'reject') {
    report('breaking', 'request-unknown-query-rejected', 'unknown query names are rejected');
  }
  compareKeys(before, after, report);
  compareAsync(before, after, report);
  if (!isNoStricter(before.security, after.security)) {
    report('breaking', 'security-tightened', 'security requires more of callers');
  } else if (!isNoStricter(after.security, before.security)) {
    report('info', 'security-relaxed', 'security requires less of callers');
  }
}

function compareKeys(
  { idempotency: before }: Operation,
  { idempotency: after }: Operation,
  report: Report,
): void {
  if (before === after) return;
  if (after === 'required') {
    report('breaking', 'idempotency-key-required', 'the header Idempotency-Key is required');
  } else if (after === undefined) {
    report('breaking', 'idempotency-key-ignored', 'the header Idempotency-Key is ignored');
  } else report('info', 'idempotency-key-optional', 'the header Idempotency-Key is optional');
}

/** A caller that expects the reply does not expect 202, and one that asks for 202 can do without it. */
function compareAsync(before: Operation, after: Operation, report: Report): void {
  if (before.async === after.async) return;
  if (after.async === 'required') {
    report('breaking', 'async-required', 'it always answers 202, and the reply follows later');
  } else if (before.async === 'required') {
    report('breaking', 'async-not-required', 'it answers with its reply, and no longer with 202');
  } else if (after.async === undefined) {
    report('warning', 'async-removed', 'callers can no longer ask for an asynchronous reply');
  } else report('info', 'async-added', 'callers may ask for an asynchronous reply');
}

function keyOf({ method, shape }: IngestedOperation): string {
  return `${method} ${shape}`;
}

function* versionsIn(ingested: Ingested): Iterable<Version> {
  const document = { ...ingested.document, components: ingested.components };
  const paths = ingested.document['paths'] as JsonObject;
  for (const entry of ingested.operations) {
    const { path, method } = entry;
    const operation = operationOf(document, { path, method, source: '', available: true });
    const object = member(paths[path] as JsonObject, memberOfMethod(method)) as JsonObject;
    yield { entry, operation, object };
  }
}

function schemasIn({ components }: Ingested): JsonObject {
  return components['schemas'] ?? {};
}

function sorted(changes: readonly ContractChange[]): ContractChange[] {
  const rank = (level: ChangeLevel): number => CHANGE_LEVELS.indexOf(level);
  return [...changes].sort((one, other) => rank(one.level) - rank(other.level));
}
