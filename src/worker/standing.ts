/**
 * What one router answered to the worker's hello.
 *
 * A router that restarts knows no contracts, and the first one that is announced counts. So that it comes back to the
 * contract that was in force, the hello of a worker that was refused says so, and the router lets the others go first.
 * With several routers, those that go on decide: what they answered counts more than what the one that restarts said
 * before. Else two routers could accept contracts that do not fit together.
 */
type Answer = 'accepted' | 'refused';

export class Standing {
  /** The answer on the connection that stands. */
  private current: Answer | undefined;
  /** The last answer, on whatever connection. */
  private last: Answer | undefined;

  /** The router took the worker in, and the connection stands. */
  get accepted(): boolean {
    return this.current === 'accepted';
  }

  answered(answer: Answer): void {
    this.current = answer;
    this.last = answer;
  }

  /** The connection is lost. */
  disconnected(): void {
    this.current = undefined;
  }

  /**
   * Whether the next hello to this router says that the worker was refused.
   *
   * @param others the worker's standing at its other routers.
   */
  wasRefused(others: readonly Standing[]): boolean {
    if (others.some(({ current }) => current === 'accepted')) return false;
    return this.last === 'refused' || others.some(({ current }) => current === 'refused');
  }
}
