/**
 * Publishes the events of a router on the diagnostics channels and in the log: bound endpoints,
 * workers that join and leave.
 */

import { hostname } from 'node:os';
import { printable } from '../core/identity/worker-name.ts';
import type { Logger } from '../core/logging/logging.ts';
import { type DiagnosticsSource, diagnostics, type LeaveReason } from '../core/observability/diagnostics.ts';
import { logFact } from '../core/observability/node-facts.ts';
import type { JoinedPeer } from './backend/worker-registry.ts';
import type { RouterNotice } from './broker/limits.ts';
import type { WorkerDescription } from './broker/worker.ts';
import type { WorkerDetails } from './router-options.ts';

/** Reasons for which a worker leaves that did not say goodbye. */
const LOST: ReadonlySet<LeaveReason> = new Set(['disconnected', 'heartbeat']);

/** Logs a condition that operators should know about, with the name of its worker. */
export function publishNotice(
  logger: Logger,
  workers: Iterable<{ readonly id: string; readonly name: string }>,
  notice: RouterNotice,
): void {
  const message = `router notice: ${notice.type}`;
  if (!('worker' in notice) || notice.worker === undefined) return logger.warn({ notice }, message);
  const { worker: workerId, ...rest } = notice;
  const worker = [...workers].find(({ id }) => id === workerId)?.name ?? printable(workerId);
  logger.warn({ notice: { ...rest, worker }, workerId }, message);
}

export function publishBound(logger: Logger, endpoints: Readonly<Record<string, string>>): void {
  for (const [socket, endpoint] of Object.entries(endpoints)) {
    logFact(logger, { endpoint }, `${socket} bound`);
  }
}

export function publishJoined(
  source: DiagnosticsSource,
  logger: Logger,
  peer: JoinedPeer,
  details: WorkerDetails,
): void {
  const { key: worker, name } = peer;
  const { workerJoined } = diagnostics;
  if (workerJoined.hasSubscribers) workerJoined.publish({ ...source, worker, name, ...details });
  const { classic, events, concurrency } = details;
  const who = peer.describe();
  const fields = {
    ...{ worker: name, workerId: worker, ...loggable(who) },
    ...{ classic, events: events.length, concurrency },
  };
  if (isHere(who)) logFact(logger, fields, 'worker joined');
  else logger.info(fields, 'worker joined');
}

/** @param held requests that the worker held. */
export function publishLeft(
  source: DiagnosticsSource,
  logger: Logger,
  peer: JoinedPeer,
  reason: LeaveReason,
  held: number,
): void {
  const { key: worker, name } = peer;
  const { workerLeft } = diagnostics;
  if (workerLeft.hasSubscribers) workerLeft.publish({ ...source, worker, name, reason, held });
  const who = peer.describe();
  const fields = { worker: name, workerId: worker, ...loggable(who), reason, held };
  if (LOST.has(reason)) logger.warn(fields, 'worker lost');
  else if (isHere(who)) logFact(logger, fields, 'worker left');
  else logger.info(fields, 'worker left');
}

/** The `pid` of a log entry is that of the process which logs it. */
function loggable({ pid: workerPid, ...who }: WorkerDescription): object {
  return workerPid === undefined ? who : { ...who, workerPid };
}

/** Whether a worker runs in this process, which logs its start and end itself. Threads name no host. */
function isHere({ host = hostname(), pid }: WorkerDescription): boolean {
  return pid === process.pid && host === hostname();
}
