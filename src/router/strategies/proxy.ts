import type { WorkerView, ZeroMQRoutingStrategy } from './strategy.ts';

/**
 * The original's way: the router forwards blindly between a ROUTER and a DEALER socket, which deals requests to workers in
 * turn whether they are free or not. Nothing of what the other strategies rest on is there: no credit, no queue, no
 * answer for a lost worker. For comparison, and for fleets that rely on it.
 */
export class ZeroMQRoutingProxy implements ZeroMQRoutingStrategy {
  readonly name = 'proxy';
  readonly kind = 'proxy';

  /** Never asked. */
  pick(): WorkerView | undefined {
    return undefined;
  }
}
