/**
 * The turn of the event loop: work deferred to its end, so that everything ready is sent together;
 * and its time.
 */
import { toError } from '../../core/messages/errors.ts';

/** An object with gathered records. */
export interface Flushable {
  flush(): void;
}

/** The function of the system, even while a test runner replaces the global one. */
const nextTurn = setImmediate;

let dirty: Flushable[] = [];
let scheduled = false;
let time: number | undefined;

/** Flushes `item` once, at the end of this turn. The caller must not add an item twice. */
export function flushAtEndOfTurn(item: Flushable): void {
  dirty.push(item);
  schedule();
}

/** Monotonic milliseconds, constant within a turn. */
export function turnNow(): number {
  if (time === undefined) {
    time = performance.now();
    schedule();
  }
  return time;
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  nextTurn(endTurn);
}

function endTurn(): void {
  const items = dirty;
  dirty = [];
  scheduled = false;
  time = undefined;
  for (const item of items) flush(item);
}

/** An error in one item must not keep the others from being flushed: they would wait forever. */
function flush(item: Flushable): void {
  try {
    item.flush();
  } catch (error) {
    process.emitWarning(toError(error), { code: 'ZEROMQ_GATEWAY_FLUSH' });
  }
}
