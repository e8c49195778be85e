/**
 * Slots that workers lend. A handler that waits on a call uses none of its worker's concurrency, so
 * that the call can lead back to the same worker: A calls B, and B calls A.
 *
 * Only calls use lent slots, and a worker never holds more than `concurrency` requests of the same
 * depth beyond it. A call therefore waits only for requests of its own depth, and these only for
 * deeper ones. At the maximum depth handlers cannot call. So each request ends, whatever calls
 * whatever, and a worker holds at most `concurrency` requests of each depth.
 */
import type { RouterRequest } from './request.ts';

/** The calls that concern one worker: those that its handlers wait on, and those that it holds. */
export class Lending {
  /** Number of requests whose handlers wait on calls. */
  private waiting = 0;
  /** Number of calls that it holds, by depth. */
  private readonly held: number[] = [];

  /** Number of slots that it lends. */
  get lent(): number {
    return this.waiting;
  }

  /** Number of calls of a depth that it holds. */
  heldAt(depth: number): number {
    return this.held[depth] ?? 0;
  }

  /** The worker is given a request. */
  taken({ origin: { depth } }: RouterRequest): void {
    if (depth !== undefined) this.held[depth] = this.heldAt(depth) + 1;
  }

  /** The worker no longer holds a request. */
  released(request: RouterRequest): void {
    const { depth } = request.origin;
    if (depth !== undefined && request.stream?.isCreditless !== true)
      this.held[depth] = this.heldAt(depth) - 1;
    this.forget(request);
  }

  /** A request has become a stream that uses no credit: it lends none, and counts for no depth. */
  streamed(request: RouterRequest): void {
    const { depth } = request.origin;
    if (depth !== undefined) this.held[depth] = this.heldAt(depth) - 1;
    this.forget(request);
  }

  /** A handler sends a call. */
  began(parent: RouterRequest): void {
    if (parent.stream?.isCreditless === true) return;
    if (parent.lending !== this) {
      parent.lending = this;
      parent.calls = 0;
      this.waiting++;
    }
    parent.calls++;
  }

  /** A call of a handler has ended. Nothing happens if the worker no longer holds its request. */
  ended(parent: RouterRequest): void {
    if (parent.lending === this && --parent.calls === 0) this.forget(parent);
  }

  /** The calls of a request no longer count. */
  private forget(request: RouterRequest): void {
    if (request.lending !== this) return;
    request.lending = undefined;
    this.waiting--;
  }
}
