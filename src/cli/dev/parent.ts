/** The process that started `zeromq-gateway dev`. */

/** Interval of checks, in ms. */
const INTERVAL = 500;

/**
 * Calls a function once if the parent process ends. A script of npm runs in a shell, which does not
 * pass on the signal that ends it.
 *
 * @returns a function that stops the checks.
 */
export function onParentExit(ended: () => void): () => void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    ended();
  }, INTERVAL).unref();
  return () => clearInterval(timer);
}
