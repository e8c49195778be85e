/**
 * The life of a request in the router, as the model has it: every way it may take, and what it is told on the ways that
 * end. docs/reliability/index.md shows this table, `pending.ts` holds it, and the property tests of the core walk it.
 */
import type { RequestState } from '../../src/router/broker/request.ts';

/** One way of a request, from state to state. */
export interface Way {
  readonly from: RequestState;
  readonly to: RequestState;
  readonly when: string;
  /** On ways to `settled`: the codes that it may be told; `reply` for whatever a worker says. */
  readonly told: readonly string[];
}

export const LIFE: readonly Way[] = [
  { from: 'new', to: 'queued', when: 'no worker has credit for it', told: [] },
  { from: 'new', to: 'dispatched', when: 'a worker has credit', told: [] },
  {
    from: 'new',
    to: 'settled',
    when: 'no worker serves the event, the queue is full, or the router stops',
    told: ['NO_WORKER', 'QUEUE_FULL', 'SHUTTING_DOWN'],
  },
  { from: 'queued', to: 'dispatched', when: 'credit returned, a worker joined, or a circuit breaker closed', told: [] },
  {
    from: 'queued',
    to: 'settled',
    when: 'its deadline passed, it was cancelled, it gave way to another client, its last worker left, or the router closed',
    told: ['EXPIRED', 'CANCELLED', 'QUEUE_FULL', 'NO_WORKER', 'SHUTTING_DOWN', 'TIMEOUT', 'WORKER_LOST'],
  },
  {
    from: 'dispatched',
    to: 'settled',
    when: 'the worker replied, the deadline passed, it was cancelled, or the worker was lost',
    told: ['reply', 'TIMEOUT', 'CANCELLED', 'WORKER_LOST'],
  },
  {
    from: 'dispatched',
    to: 'queued',
    when: 'it was never sent, the worker rejected it, or the worker was lost and the request is idempotent and has not been redispatched',
    told: [],
  },
];

/** The table as Markdown. */
export function lifeTable(): string {
  const rows = LIFE.map(({ from, to, when, told }) => {
    const codes = told.map((code) => (code === 'reply' ? "the worker's reply" : `\`${code}\``)).join(', ');
    return `| ${from} | ${to} | ${when} | ${codes || '–'} |`;
  });
  return ['| from | to | when | outcome |', '|---|---|---|---|', ...rows].join('\n');
}

/** Ways and outcomes that were taken, in the words of `LIFE`; what is not in it is kept apart. */
export class Footprints {
  readonly taken = new Set<string>();
  readonly astray = new Set<string>();

  /** @param told code of the outcome, on ways to `settled`. */
  step(from: RequestState, to: RequestState, told?: string): void {
    const way = LIFE.find((one) => one.from === from && one.to === to);
    const name = nameOf(from, to, told);
    if (way === undefined || (told !== undefined && !way.told.includes(told))) this.astray.add(name);
    else this.taken.add(name);
  }
}

/** Every way of `LIFE`, with each of its outcomes. */
export function allWays(): string[] {
  return LIFE.flatMap(({ from, to, told }) =>
    told.length === 0 ? [nameOf(from, to)] : told.map((code) => nameOf(from, to, code)),
  );
}

function nameOf(from: RequestState, to: RequestState, told?: string): string {
  return `${from} → ${to}${told === undefined ? '' : `: ${told}`}`;
}
