/** The turn of the event loop: work put off to its end, so that all that is ready travels together; and its time. */
import { toError } from '../../core/messages/errors.ts';

/** Something that has records waiting. */
export interface Flushable {
  flush(): void;
}

let dirty: Flushable[] = [];
let scheduled = false;
let time: number | undefined;

/** Flushes `item` once at the end of this turn. The caller sees to it that an item is not added twice. */
export function flushAtEndOfTurn(item: Flushable): void {
  dirty.push(item);
  schedule();
}

/** Monotonic milliseconds, the same throughout a turn. */
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
  setImmediate(endTurn);
}

function endTurn(): void {
  const items = dirty;
  dirty = [];
  scheduled = false;
  time = undefined;
  for (const item of items) flush(item);
}

/** One that fails must not keep the others from being flushed: they would wait for ever. */
function flush(item: Flushable): void {
  try {
    item.flush();
  } catch (error) {
    process.emitWarning(toError(error), { code: 'ZEROMQ_GATEWAY_FLUSH' });
  }
}
