/** Waits for what a node of this process publishes on a diagnostics channel. */
import { type DiagnosticsChannel, diagnostics } from '../../src/core/observability/diagnostics.ts';
import { within } from './eventually.ts';
import { PATIENCE } from './patience.ts';

/** Resolves with the next payload on the channel that matches. Listens from the call on. */
export function published<T>(
  channel: DiagnosticsChannel<T>,
  matches: (payload: T) => boolean = () => true,
  timeout = PATIENCE,
): Promise<T> {
  let stop = () => {};
  const payload = new Promise<T>((resolve) => {
    const listener = (message: T) => {
      if (matches(message)) resolve(message);
    };
    channel.subscribe(listener);
    stop = () => channel.unsubscribe(listener);
  });
  return within(payload, `a message on ${String(channel.name)}`, timeout).finally(() => stop());
}

/** Starts workers and waits until a router of this process has accepted `count` of them. */
export async function untilJoined<T>(start: () => Promise<T>, count = 1, timeout = PATIENCE): Promise<T> {
  let joins = 0;
  const all = published(
    diagnostics.workerJoined,
    () => {
      joins += 1;
      return joins === count;
    },
    timeout,
  );
  const [started] = await Promise.all([start(), all]);
  return started;
}
