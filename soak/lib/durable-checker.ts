/**
 * The checker of durable requests: asynchronous ones, and those with an idempotency key. It reads the
 * log of all requests and executions and reports every violation of docs/gateway/asynchronous-requests.md
 * and docs/gateway/idempotency.md:
 *
 * - A request that was accepted reaches exactly one final state, and stays in it.
 * - A success names an execution that began. An error of a handler needs an execution.
 * - A request that failed because it was not dispatched did not run.
 * - Only a request that may not run twice is *unknown*, and it runs at most once.
 */
import { isOutcomeCode, outcomeOf } from '../../src/core/messages/outcome.ts';
import { HANDLER_CODES } from './checker.ts';
import type { Entry, Final } from './log.ts';

/** Result of a check. */
export interface DurableCheck {
  /** Number of accepted requests. */
  readonly accepted: number;
  /** Requests that got no 202: they may be stored or not. */
  readonly refused: number;
  /** Accepted requests by final state. */
  readonly states: ReadonlyMap<Final['state'], number>;
  readonly executions: number;
  /** Idempotent requests that ran more than once. */
  readonly rerun: number;
  /** All violations, each with the id of the request. */
  readonly violations: readonly string[];
}

interface History {
  /** Undefined if the log has no entry of a caller. */
  idempotent: boolean | undefined;
  accepted: boolean;
  readonly finals: Final[];
  /** The executions that began, by name. */
  readonly began: string[];
}

/** Checks a log. */
export function checkDurable(entries: Iterable<Entry>): DurableCheck {
  const histories = gather(entries);
  const states = new Map<Final['state'], number>();
  const violations: string[] = [];
  const counts = { accepted: 0, refused: 0, executions: 0, rerun: 0 };
  for (const [id, history] of histories) {
    const { accepted, idempotent, began, finals } = history;
    counts[accepted ? 'accepted' : 'refused'] += 1;
    counts.executions += began.length;
    if (idempotent === true && began.length > 1) counts.rerun += 1;
    const [final] = finals;
    if (final !== undefined) states.set(final.state, (states.get(final.state) ?? 0) + 1);
    for (const violation of violationsOf(history)) violations.push(`${id}: ${violation}`);
  }
  return { ...counts, states, violations };
}

function gather(entries: Iterable<Entry>): Map<string, History> {
  const histories = new Map<string, History>();
  for (const entry of entries) {
    const history: History = histories.get(entry.id) ?? {
      idempotent: undefined,
      accepted: false,
      finals: [],
      began: [],
    };
    histories.set(entry.id, history);
    if (entry.t === 'sent') history.idempotent = entry.idempotent;
    else if (entry.t === 'accepted') history.accepted = true;
    else if (entry.t === 'final') history.finals.push(entry);
    else if (entry.t === 'began') history.began.push(entry.by);
  }
  return histories;
}

function* violationsOf({ idempotent, accepted, finals, began }: History): Iterable<string> {
  const [final, ...later] = finals;
  if (idempotent === undefined) yield 'no caller sent it';
  if (accepted && final === undefined) yield 'accepted, and never ended';
  if (idempotent === false && began.length > 1) yield `ran ${began.length} times, not idempotent`;
  if (final === undefined) return;
  const changed = later.find(({ state, code, by }) => nameOf({ state, code, by }) !== nameOf(final));
  if (changed !== undefined) yield `ended as ${nameOf(final)}, and later as ${nameOf(changed)}`;
  yield* contradictions(final, idempotent === true, began);
}

/** Contradictions between the final state and the executions. */
function* contradictions(
  { state, code, by }: Final,
  idempotent: boolean,
  began: readonly string[],
): Iterable<string> {
  if (state === 'missing') yield 'accepted, and lost';
  if (state === 'unknown' && idempotent) yield 'unknown, although it may run again';
  if (state === 'succeeded' && (by === undefined || !began.includes(by)))
    yield 'a success without an execution';
  if (state !== 'failed') return;
  const fromHandler = !isOutcomeCode(code) || HANDLER_CODES.has(code);
  if (fromHandler && began.length === 0) yield `${code} of a request that never ran`;
  const wasNotDispatched = isOutcomeCode(code) && outcomeOf(code).dispatched === false;
  if (wasNotDispatched && !idempotent && began.length > 0)
    yield `${code} reports that the request did not run, but it ran`;
}

function nameOf({ state, code, by }: Pick<Final, 'state' | 'code' | 'by'>): string {
  return [state, code, by].filter(Boolean).join(' ');
}
