/**
 * Starvation: every process gets a fifth of the CPU time it wants. The kernel's limits would need control groups, so each
 * process is stopped and continued by signals instead: it runs in one of five slots, and stands still in the others.
 */
import type { Member } from './fleet.ts';

/** Slots of a round; a process runs in one of them. */
const SLOTS = 5;
/** Length of a slot, in ms. */
const SLOT = 20;

/** Stops and continues the processes of a fleet in turn, until it is stopped itself. */
export class Starvation {
  private slot = 0;
  private readonly timer: NodeJS.Timeout;

  /** @param isFrozen whether a fault holds the process stopped. */
  constructor(
    private readonly members: readonly Member[],
    private readonly isFrozen: (member: Member) => boolean,
  ) {
    this.timer = setInterval(() => this.next(), SLOT);
  }

  /** Lets every process run freely again. */
  stop(): void {
    clearInterval(this.timer);
    for (const member of this.members) if (!this.isFrozen(member)) member.signal('SIGCONT');
  }

  private next(): void {
    this.slot = (this.slot + 1) % SLOTS;
    this.members.forEach((member, index) => {
      if (this.isFrozen(member)) return;
      if (index % SLOTS === this.slot) member.signal('SIGCONT');
      else member.signal('SIGSTOP');
    });
  }
}
