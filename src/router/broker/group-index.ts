/** The groups by what they serve. Lists of events are compared without sorting: one may have 50,000 names. */
import { randomInt } from 'node:crypto';
import { hashOf, mix } from '../../core/collections/hash.ts';
import type { Group } from './event-state.ts';
import type { Worker } from './worker.ts';

/** Keeps peers from choosing lists of events with the same fingerprint. */
const SEED = randomInt(2 ** 32);

/** The same number for the same names, in whatever order. */
export function fingerprintOf(names: ReadonlySet<string>): number {
  let sum = names.size;
  for (const name of names) sum = (sum + mix(hashOf(name) ^ SEED)) | 0;
  return sum;
}

/** Whether workers with these ranks belong to the same group. */
export function haveSameRanks(one: Worker['ranks'], other: Worker['ranks']): boolean {
  if (one === other) return true;
  if ((one?.size ?? 0) !== (other?.size ?? 0)) return false;
  for (const [name, rank] of one ?? []) if (other?.get(name) !== rank) return false;
  return true;
}

export class GroupIndex {
  private readonly groups = new Map<number, Group[]>();

  /** The group with these events, ranks and version. @param fingerprint that of the names. */
  find(
    names: ReadonlySet<string>,
    fingerprint: number,
    { ranks, release }: Pick<Worker, 'ranks' | 'release'>,
  ): Group | undefined {
    return this.groups
      .get(fingerprint)
      ?.find(
        (group) =>
          group.release === release && haveSameRanks(group.ranks, ranks) && haveSameNames(group.names, names),
      );
  }

  add(group: Group): void {
    const alike = this.groups.get(group.fingerprint);
    if (alike === undefined) this.groups.set(group.fingerprint, [group]);
    else alike.push(group);
  }

  remove(group: Group): void {
    const others = this.groups.get(group.fingerprint)?.filter((other) => other !== group) ?? [];
    if (others.length === 0) this.groups.delete(group.fingerprint);
    else this.groups.set(group.fingerprint, others);
  }
}

function haveSameNames(one: ReadonlySet<string> | undefined, other: ReadonlySet<string>): boolean {
  if (one?.size !== other.size) return false;
  for (const name of other) if (!one.has(name)) return false;
  return true;
}
