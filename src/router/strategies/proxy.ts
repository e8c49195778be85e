import type { WorkerView, ZeroMQRoutingStrategy } from './strategy.ts';

/**
 * Makes the router forward messages as the original framework does: between a ROUTER and a DEALER
 * socket, which distributes requests among workers in turn, whether they are free or not. There is
 * no credit, no queue, and no reply for a lost worker. For comparison, and for deployments that
 * rely on this behaviour.
 */
export class ZeroMQRoutingProxy implements ZeroMQRoutingStrategy {
  /** Name of the strategy in reports. */
  readonly name = 'proxy';
  readonly kind = 'proxy';

  /** Never called. */
  pick(): WorkerView | undefined {
    return undefined;
  }
}
