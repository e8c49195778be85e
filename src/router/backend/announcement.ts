/** Reads the announcement of a worker and checks the operations of its contract. */
import { type Claim, claimsOf } from '../../contract/claims.ts';
import { ContractError } from '../../contract/errors.ts';
import { isReserved } from '../../core/messages/event-name.ts';
import type { Announcement } from '../../wire/control.ts';
import type { ReleaseInfo } from '../broker/releases.ts';

/** An announcement whose contract was checked. */
export interface ReadAnnouncement extends Pick<Announcement, 'events' | 'contract'> {
  /** Operations of the contract. */
  readonly claims: readonly Claim[];
}

/**
 * Reads an announcement. Each operation of the contract must lead to an event that the worker
 * announces. A worker that announces no events may have operations for any event.
 *
 * @returns the announcement, or why it is refused.
 */
export function readAnnouncement({
  events,
  contract,
}: Pick<Announcement, 'events' | 'contract'>): ReadAnnouncement | string {
  const reserved = events?.find(isReserved);
  if (reserved !== undefined)
    return `a worker cannot serve ${JSON.stringify(reserved)}: the name is reserved`;
  if (contract === undefined) return { events, contract, claims: [] };
  const { name, fragment } = contract;
  try {
    const claims = claimsOf(fragment);
    const served = events && new Set(events);
    const foreign = served && claims.find(({ eventName }) => !served.has(eventName));
    if (foreign === undefined) return { events, contract, claims };
    const { method, path, eventName } = foreign;
    throw new ContractError('the worker does not announce the event', { method, path, event: eventName });
  } catch (error) {
    if (error instanceof ContractError) return error.within({ ...error.location, source: name }).message;
    throw error;
  }
}

/** Name and version of the announced contract, for operators. */
export function contractOf(announcement: Announcement | undefined): {
  readonly contract?: string;
  readonly version?: string;
} {
  if (announcement?.contract === undefined) return {};
  const { name: contract, version } = announcement.contract;
  return version === undefined ? { contract } : { contract, version };
}

/** The version that a worker announces, if its contract has one. */
export function releaseOf({ contract }: Announcement): ReleaseInfo | undefined {
  if (contract?.version === undefined) return undefined;
  const { name, version, weight } = contract;
  return { contract: name, version, weight };
}

/** Names of the events that operations lead to, without duplicates. */
export function eventsOf(claims: readonly Claim[]): string[] {
  return [...new Set(claims.map(({ eventName }) => eventName))];
}
