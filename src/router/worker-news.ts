/** Tells the world outside which workers come and go: diagnostics channels, and the log. */
import { diagnostics, type LeaveReason, type Speaker } from '../core/diagnostics.ts';
import type { Logger } from '../core/logging.ts';
import type { WorkerDetails } from './router-options.ts';

export function tellJoined(speaker: Speaker, logger: Logger, worker: string, details: WorkerDetails): void {
  const { workerJoined } = diagnostics;
  if (workerJoined.hasSubscribers) workerJoined.publish({ ...speaker, worker, ...details });
  const { classic, events, concurrency } = details;
  logger.info({ worker, classic, events: events.length, concurrency }, 'worker joined');
}

/** @param held requests that it held. */
export function tellLeft(
  speaker: Speaker,
  logger: Logger,
  worker: string,
  reason: LeaveReason,
  held: number,
): void {
  const { workerLeft } = diagnostics;
  if (workerLeft.hasSubscribers) workerLeft.publish({ ...speaker, worker, reason, held });
  logger.info({ worker, reason, held }, 'worker left');
}
