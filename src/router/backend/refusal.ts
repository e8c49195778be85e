import { diagnostics, type RefusalCause } from '../../core/observability/diagnostics.ts';

/**
 * Publishes that the router rejected a worker.
 *
 * @param node identity of the router.
 */
export function publishRefused(node: string, worker: string, cause: RefusalCause): void {
  const { workerRefused } = diagnostics;
  if (workerRefused.hasSubscribers) workerRefused.publish({ kind: 'router', node, worker, cause });
}
