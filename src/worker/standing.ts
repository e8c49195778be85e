/**
 * Records what one router answered to the worker's hello.
 *
 * A router that restarts knows no contracts, and the first one announced becomes the contract in
 * force. To restore the previous one, a worker that was rejected says so in its hello, and the
 * router considers the other workers first. With several routers, those that keep running decide:
 * their answers take precedence over what the restarting router answered before. Otherwise two
 * routers could accept incompatible contracts.
 */
type Answer = 'accepted' | 'refused';

export class Standing {
  /** The answer on the established connection. */
  private current: Answer | undefined;
  /** The last answer on any connection. */
  private last: Answer | undefined;

  /** The router accepted the worker, and the connection is established. */
  get accepted(): boolean {
    return this.current === 'accepted';
  }

  answered(answer: Answer): void {
    this.current = answer;
    this.last = answer;
  }

  /** Called when the connection is lost. */
  disconnected(): void {
    this.current = undefined;
  }

  /**
   * Whether the next hello to this router states that the worker was rejected.
   *
   * @param others the standing of the worker at its other routers
   */
  wasRefused(others: readonly Standing[]): boolean {
    if (others.some(({ current }) => current === 'accepted')) return false;
    return this.last === 'refused' || others.some(({ current }) => current === 'refused');
  }
}
