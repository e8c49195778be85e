/**
 * The checker: reads the log of all requests and executions and reports violations of the
 * guarantees in docs/reliability/index.md. Each request is settled exactly once, with a code and
 * status from the catalogue. `dispatched` is correct. A non-idempotent request never runs twice,
 * and an idempotent one runs at most as often as permitted. Each success comes from an execution.
 */
import { isOutcomeCode, outcomeOf } from '../../src/core/messages/outcome.ts';
import { type Entry, NO_ANSWER, type Settled } from './log.ts';

/** What is permitted in the run that wrote the log. */
export interface Rules {
  /**
   * Maximum number of executions of an idempotent request: one, plus one for each redispatch by
   * each router that the request is sent to.
   *
   * @defaultValue 2, for one router
   */
  readonly runs?: number;
  /** Codes that must not occur, such as those of faults that were not injected. */
  readonly never?: readonly string[];
}

/** Result of a check. */
export interface Verdict {
  readonly asked: number;
  /** Number of requests by outcome code; `ok` for successes. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Requests that were never settled. */
  readonly lost: number;
  /** Requests that were settled twice, or ran more often than permitted. */
  readonly doubled: number;
  /** Successful requests without the execution that their reply names. */
  readonly unfounded: number;
  readonly executions: number;
  /** Idempotent requests that ran more than once. */
  readonly repeated: number;
  /** All violations, each with the id of the request. */
  readonly faults: readonly string[];
}

interface Story {
  idempotent: boolean | undefined;
  readonly settled: Settled[];
  readonly began: string[];
}

/** Checks a log. */
export function check(entries: Iterable<Entry>, rules: Rules = {}): Verdict {
  const stories = gather(entries);
  const outcomes = new Map<string, number>();
  const faults: string[] = [];
  const tally = { asked: 0, lost: 0, doubled: 0, unfounded: 0, executions: 0, repeated: 0 };
  for (const [id, story] of stories) {
    const runs = story.began.length;
    const [settled] = story.settled;
    tally.executions += runs;
    if (story.idempotent !== undefined) tally.asked += 1;
    if (runs > 1 && story.idempotent === true) tally.repeated += 1;
    if (settled === undefined) tally.lost += 1;
    else outcomes.set(settled.code || 'ok', (outcomes.get(settled.code || 'ok') ?? 0) + 1);
    if (story.settled.length > 1 || runs > mayRun(story, rules)) tally.doubled += 1;
    if (story.settled.some((outcome) => isUnfounded(outcome, story.began))) tally.unfounded += 1;
    for (const fault of faultsOf(story, rules)) faults.push(`${id}: ${fault}`);
  }
  return { ...tally, outcomes, faults };
}

function gather(entries: Iterable<Entry>): Map<string, Story> {
  const stories = new Map<string, Story>();
  for (const entry of entries) {
    const story = stories.get(entry.id) ?? { idempotent: undefined, settled: [], began: [] };
    stories.set(entry.id, story);
    if (entry.t === 'asked') story.idempotent = entry.idempotent;
    else if (entry.t === 'settled') story.settled.push(entry);
    else if (entry.t === 'began') story.began.push(entry.by);
  }
  return stories;
}

function mayRun({ idempotent }: Story, { runs = 2 }: Rules): number {
  return idempotent === true ? runs : 1;
}

function faultsOf(story: Story, rules: Rules): string[] {
  const { idempotent, settled, began } = story;
  const faults: string[] = [];
  const [outcome] = settled;
  if (idempotent === undefined) faults.push('nobody asked it');
  if (outcome === undefined) faults.push('never settled');
  else faults.push(...lies(outcome, began), ...offTable(outcome, rules));
  if (settled.length > 1) faults.push(`settled ${settled.length} times`);
  if (began.length > mayRun(story, rules)) {
    faults.push(`ran ${began.length} times, ${idempotent === true ? '' : 'not '}idempotent`);
  }
  return faults;
}

/** Returns contradictions between the reported outcome and the executions. */
function lies({ code, dispatched, by }: Settled, began: readonly string[]): string[] {
  const name = code || 'a success';
  if (dispatched === false && began.length > 0) return [`${name} says that it did not run, and it did`];
  if (isUnfounded({ code, by }, began)) return ['a success without an execution'];
  const ofHandler = code !== '' && code !== NO_ANSWER && (!isOutcomeCode(code) || OF_HANDLERS.has(code));
  if (ofHandler && began.length === 0 && dispatched !== false) return [`${name} of a request that never ran`];
  return [];
}

/** Whether a request succeeded although no execution sent the reply. */
function isUnfounded({ code, by }: Pick<Settled, 'code' | 'by'>, began: readonly string[]): boolean {
  return code === '' && (by === undefined || !began.includes(by));
}

/** Codes that only handlers cause. */
const OF_HANDLERS: ReadonlySet<string> = new Set(['HANDLER_ERROR', 'BAD_REPLY']);

/** Returns deviations from the table of outcomes. */
function offTable({ code, status, dispatched }: Settled, { never = [] }: Rules): string[] {
  if (never.includes(code)) return [`${code}, though nothing here brings it about`];
  if (code === '' || !isOutcomeCode(code)) return [];
  const row = outcomeOf(code);
  const faults: string[] = [];
  if (status !== row.status) faults.push(`${code} has the status ${status}, not ${row.status}`);
  if (row.dispatched !== undefined && dispatched !== row.dispatched) {
    faults.push(`${code} says dispatched: ${String(dispatched)}`);
  }
  return faults;
}
