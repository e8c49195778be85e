/**
 * Publishes the events of a router on the diagnostics channels and in the log: bound endpoints,
 * workers that join and leave.
 */

import type { Logger } from '../core/logging/logging.ts';
import { type DiagnosticsSource, diagnostics, type LeaveReason } from '../core/observability/diagnostics.ts';
import { logFact } from '../core/observability/node-facts.ts';
import type { WorkerDetails } from './router-options.ts';

export function publishBound(logger: Logger, endpoints: Readonly<Record<string, string>>): void {
  for (const [socket, endpoint] of Object.entries(endpoints)) {
    logFact(logger, { endpoint }, `${socket} bound`);
  }
}

export function publishJoined(
  source: DiagnosticsSource,
  logger: Logger,
  worker: string,
  details: WorkerDetails,
): void {
  const { workerJoined } = diagnostics;
  if (workerJoined.hasSubscribers) workerJoined.publish({ ...source, worker, ...details });
  const { classic, events, concurrency } = details;
  logFact(logger, { worker, classic, events: events.length, concurrency }, 'worker joined');
}

/** @param held requests that the worker held. */
export function publishLeft(
  source: DiagnosticsSource,
  logger: Logger,
  worker: string,
  reason: LeaveReason,
  held: number,
): void {
  const { workerLeft } = diagnostics;
  if (workerLeft.hasSubscribers) workerLeft.publish({ ...source, worker, reason, held });
  logFact(logger, { worker, reason, held }, 'worker left');
}
