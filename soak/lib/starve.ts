/**
 * CPU starvation: every process gets a fifth of the CPU time it requests. Limits of the kernel
 * would require control groups, so signals stop and continue each process instead: it runs in one
 * of five slots and is stopped in the others.
 */
import type { Member } from './cluster.ts';

/** Number of slots per round. A process runs in one of them. */
const SLOTS = 5;
/** Duration of a slot in milliseconds. */
const SLOT = 20;

/** Stops and continues the processes in turn until it is stopped itself. */
export class Starvation {
  private slot = 0;
  private readonly timer: NodeJS.Timeout;

  /** @param isFrozen returns whether a fault has stopped the process. */
  constructor(
    private readonly members: readonly Member[],
    private readonly isFrozen: (member: Member) => boolean,
  ) {
    this.timer = setInterval(() => this.next(), SLOT);
  }

  /** Lets all processes run without limits again. */
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
