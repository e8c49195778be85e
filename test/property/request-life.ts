/**
 * The state machine of a request in the router: all transitions, and the outcomes of those that
 * settle it. docs/reliability/index.md shows this table, `src/router/broker/request.ts` implements
 * it, and the property tests of the broker cover it.
 */
import type { RequestState } from '../../src/router/broker/request.ts';

/** A transition of a request between two states. */
export interface Transition {
  readonly from: RequestState;
  readonly to: RequestState;
  readonly when: string;
  /** Possible outcome codes of a transition to `settled`; `reply` for the reply of a worker. */
  readonly outcomes: readonly string[];
}

export const LIFE: readonly Transition[] = [
  { from: 'new', to: 'queued', when: 'no worker has credit for it', outcomes: [] },
  { from: 'new', to: 'dispatched', when: 'a worker has credit', outcomes: [] },
  {
    from: 'new',
    to: 'settled',
    when: 'no worker serves the event, the queue is full, or the router stops',
    outcomes: ['NO_WORKER', 'QUEUE_FULL', 'SHUTTING_DOWN'],
  },
  {
    from: 'queued',
    to: 'dispatched',
    when: 'credit returned, a worker joined, or a circuit breaker closed',
    outcomes: [],
  },
  {
    from: 'queued',
    to: 'settled',
    when: 'its deadline passed, it was cancelled, it gave way to another client, its last worker left, or the router closed',
    outcomes: ['EXPIRED', 'CANCELLED', 'QUEUE_FULL', 'NO_WORKER', 'SHUTTING_DOWN', 'TIMEOUT', 'WORKER_LOST'],
  },
  {
    from: 'dispatched',
    to: 'settled',
    when: 'the worker replied, the deadline passed, it was cancelled, or the worker was lost',
    outcomes: ['reply', 'TIMEOUT', 'CANCELLED', 'WORKER_LOST'],
  },
  {
    from: 'dispatched',
    to: 'queued',
    when: 'it was never sent, the worker rejected it, or the worker was lost and the request is idempotent and has not been redispatched',
    outcomes: [],
  },
];

/** The transitions as a Markdown table. */
export function lifeTable(): string {
  const rows = LIFE.map(({ from, to, when, outcomes }) => {
    const codes = outcomes
      .map((code) => (code === 'reply' ? "the worker's reply" : `\`${code}\``))
      .join(', ');
    return `| ${from} | ${to} | ${when} | ${codes || '–'} |`;
  });
  return ['| from | to | when | outcome |', '|---|---|---|---|', ...rows].join('\n');
}

/** Records the transitions and outcomes that occurred; those outside `LIFE` are kept apart. */
export class TransitionLog {
  readonly expected = new Set<string>();
  readonly unexpected = new Set<string>();

  /** @param outcome outcome code of a transition to `settled`. */
  record(from: RequestState, to: RequestState, outcome?: string): void {
    const transition = LIFE.find((one) => one.from === from && one.to === to);
    const name = nameOf(from, to, outcome);
    if (transition === undefined || (outcome !== undefined && !transition.outcomes.includes(outcome)))
      this.unexpected.add(name);
    else this.expected.add(name);
  }
}

/** All transitions of `LIFE`, with each of their outcomes. */
export function allTransitions(): string[] {
  return LIFE.flatMap(({ from, to, outcomes }) =>
    outcomes.length === 0 ? [nameOf(from, to)] : outcomes.map((code) => nameOf(from, to, code)),
  );
}

function nameOf(from: RequestState, to: RequestState, outcome?: string): string {
  return `${from} → ${to}${outcome === undefined ? '' : `: ${outcome}`}`;
}
