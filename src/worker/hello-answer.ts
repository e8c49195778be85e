/**
 * What one router answered to the worker's hello.
 *
 * A restarted router knows no contracts, and the first one announced comes into force. A worker that
 * was refused before reports that in its hello, so that the router considers the other workers
 * first and the previous contract is restored. With several routers, the answers of those that kept
 * running take precedence over the earlier answer of the restarted one. Otherwise two routers could
 * accept incompatible contracts.
 */
type Answer = 'accepted' | 'refused';

export class HelloAnswer {
  /** The answer on the established connection. */
  private current: Answer | undefined;
  /** The last answer on any connection. */
  private last: Answer | undefined;
  private calls = false;
  private callStreams = false;

  /** The router accepted the worker, and the connection is established. */
  get accepted(): boolean {
    return this.current === 'accepted';
  }

  /** Whether the router takes calls of handlers. */
  get takesCalls(): boolean {
    return this.accepted && this.calls;
  }

  /** Whether it takes calls with streams, too. */
  get takesCallStreams(): boolean {
    return this.accepted && this.callStreams;
  }

  /** Records that the router accepted the worker. */
  welcomed({ calls, callStreams }: Record<string, unknown>): void {
    this.record('accepted');
    this.calls = calls === 1;
    this.callStreams = callStreams === 1;
  }

  record(answer: Answer): void {
    this.current = answer;
    this.last = answer;
  }

  /** Called when the connection is lost. */
  disconnected(): void {
    this.current = undefined;
  }

  /**
   * Whether the next hello to this router reports that the worker was refused.
   *
   * @param others the answers of the worker's other routers
   */
  reportsRefusal(others: readonly HelloAnswer[]): boolean {
    if (others.some(({ current }) => current === 'accepted')) return false;
    return this.last === 'refused' || others.some(({ current }) => current === 'refused');
  }
}
