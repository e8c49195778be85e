/**
 * The checker of outcomes, used by the soak test and by the fault tests. It reads the log of all
 * requests and executions and reports every violation of the guarantees in
 * docs/reliability/index.md:
 *
 * - Each request is settled exactly once, and only requests that a caller sent are executed.
 * - A code of the catalogue comes with the status and the `dispatched` value of the catalogue.
 * - A request reported as not dispatched never ran.
 * - A success names the execution that caused it. An error of a handler needs an execution.
 * - A non-idempotent request runs at most once, an idempotent one at most as often as permitted.
 */
import { isOutcomeCode, outcomeOf } from '../../src/core/messages/outcome.ts';
import { type Entry, NO_RESPONSE, type Settled } from './log.ts';

/** Rules that depend on the run that wrote the log. */
export interface CheckRules {
  /**
   * Maximum number of executions of an idempotent request: one, plus one for each redispatch by
   * each router that the request is sent to.
   *
   * @defaultValue 2, for one router
   */
  readonly maxRuns?: number;
  /** Codes that must not occur, such as those of faults that were not injected. */
  readonly excludedCodes?: readonly string[];
}

/** Result of a check. */
export interface CheckResult {
  readonly requests: number;
  /** Number of requests by outcome code; `ok` for successes. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Requests that were never settled. */
  readonly lost: number;
  /** Requests that were settled twice, or ran more often than permitted. */
  readonly duplicated: number;
  /** Successful requests without the execution that their reply names. */
  readonly unsupported: number;
  readonly executions: number;
  /** Idempotent requests that ran more than once. */
  readonly rerun: number;
  /** All violations, each with the id of the request. */
  readonly violations: readonly string[];
}

interface RequestHistory {
  /** Undefined if the log has no entry of a caller. */
  idempotent: boolean | undefined;
  readonly settled: Settled[];
  /** The executions that began, by name. */
  readonly began: string[];
}

/** Checks a log. */
export function check(entries: Iterable<Entry>, rules: CheckRules = {}): CheckResult {
  const histories = gather(entries);
  const violations: string[] = [];
  const counts = { requests: 0, lost: 0, duplicated: 0, unsupported: 0, executions: 0, rerun: 0 };
  for (const [id, history] of histories) {
    const runs = history.began.length;
    counts.executions += runs;
    if (history.idempotent !== undefined) counts.requests += 1;
    if (runs > 1 && history.idempotent === true) counts.rerun += 1;
    if (history.settled.length === 0) counts.lost += 1;
    if (history.settled.length > 1 || runs > maxRunsOf(history, rules)) counts.duplicated += 1;
    if (history.settled.some((outcome) => isUnsupported(outcome, history.began))) counts.unsupported += 1;
    for (const violation of violationsOf(history, rules)) violations.push(`${id}: ${violation}`);
  }
  return { ...counts, outcomes: countCodes(histories.values()), violations };
}

/** Counts the idempotent or the non-idempotent requests of a log by outcome code; `ok` for successes. */
export function outcomesOf(entries: Iterable<Entry>, idempotent: boolean): Record<string, number> {
  const histories = [...gather(entries).values()].filter((history) => history.idempotent === idempotent);
  return Object.fromEntries(countCodes(histories));
}

function gather(entries: Iterable<Entry>): Map<string, RequestHistory> {
  const histories = new Map<string, RequestHistory>();
  for (const entry of entries) {
    const history = histories.get(entry.id) ?? { idempotent: undefined, settled: [], began: [] };
    histories.set(entry.id, history);
    if (entry.t === 'sent') history.idempotent = entry.idempotent;
    else if (entry.t === 'settled') history.settled.push(entry);
    else if (entry.t === 'began') history.began.push(entry.by);
  }
  return histories;
}

function countCodes(histories: Iterable<RequestHistory>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { settled } of histories) {
    const [outcome] = settled;
    if (outcome === undefined) continue;
    const code = outcome.code || 'ok';
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return counts;
}

function maxRunsOf({ idempotent }: RequestHistory, { maxRuns = 2 }: CheckRules): number {
  return idempotent === true ? maxRuns : 1;
}

function violationsOf(history: RequestHistory, rules: CheckRules): string[] {
  const { idempotent, settled, began } = history;
  const violations: string[] = [];
  const [outcome] = settled;
  if (idempotent === undefined) violations.push('no caller sent it');
  if (outcome === undefined) violations.push('never settled');
  else violations.push(...contradictions(outcome, began), ...catalogueDeviations(outcome, rules));
  if (settled.length > 1) violations.push(`settled ${settled.length} times`);
  if (began.length > maxRunsOf(history, rules)) {
    violations.push(`ran ${began.length} times, ${idempotent === true ? '' : 'not '}idempotent`);
  }
  return violations;
}

/** Returns contradictions between the reported outcome and the executions. */
function contradictions({ code, dispatched, by }: Settled, began: readonly string[]): string[] {
  const name = code || 'a success';
  if (dispatched === false && began.length > 0)
    return [`${name} reports that the request did not run, but it ran`];
  if (isUnsupported({ code, by }, began)) return ['a success without an execution'];
  const fromHandler =
    code !== '' && code !== NO_RESPONSE && (!isOutcomeCode(code) || HANDLER_CODES.has(code));
  if (fromHandler && began.length === 0 && dispatched !== false)
    return [`${name} of a request that never ran`];
  return [];
}

/** Whether a request succeeded although no execution sent the reply. */
function isUnsupported({ code, by }: Pick<Settled, 'code' | 'by'>, began: readonly string[]): boolean {
  return code === '' && (by === undefined || !began.includes(by));
}

/** Codes that only handlers cause. */
export const HANDLER_CODES: ReadonlySet<string> = new Set(['HANDLER_ERROR', 'BAD_REPLY']);

/** Returns deviations from the catalogue of outcomes. */
function catalogueDeviations(
  { code, status, dispatched }: Settled,
  { excludedCodes = [] }: CheckRules,
): string[] {
  if (excludedCodes.includes(code)) return [`${code}, which no fault of this run causes`];
  if (code === '' || !isOutcomeCode(code)) return [];
  const row = outcomeOf(code);
  const deviations: string[] = [];
  if (status !== row.status) deviations.push(`${code} has the status ${status}, not ${row.status}`);
  if (row.dispatched !== undefined && dispatched !== row.dispatched) {
    deviations.push(`${code} has dispatched: ${String(dispatched)}`);
  }
  return deviations;
}
