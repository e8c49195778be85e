/**
 * strategies: the routing strategies of the package, and their names. A strategy chooses among the
 * workers with credit for a request; `strategy.ts` has the interface.
 */
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { LeastLoadedStrategy } from './least-loaded.ts';
import { LeastRecentlyUsedStrategy } from './least-recently-used.ts';
import { PowerOfTwoStrategy } from './power-of-two.ts';
import { ZeroMQRoutingProxy } from './proxy.ts';
import { RoundRobinStrategy } from './round-robin.ts';
import { StickyStrategy } from './sticky.ts';
import type { ZeroMQRoutingStrategy } from './strategy.ts';

export { LeastLoadedStrategy } from './least-loaded.ts';
export { LeastRecentlyUsedStrategy } from './least-recently-used.ts';
export { type PowerOfTwoOptions, PowerOfTwoStrategy } from './power-of-two.ts';
export { ZeroMQRoutingProxy } from './proxy.ts';
export { RoundRobinStrategy } from './round-robin.ts';
export { type StickyOptions, StickyStrategy } from './sticky.ts';
export type { RequestView, WorkerView, ZeroMQRoutingStrategy } from './strategy.ts';

const FACTORIES = {
  'least-loaded': () => new LeastLoadedStrategy(),
  'round-robin': () => new RoundRobinStrategy(),
  'least-recently-used': () => new LeastRecentlyUsedStrategy(),
  'power-of-two': () => new PowerOfTwoStrategy(),
  sticky: () => new StickyStrategy(),
  proxy: () => new ZeroMQRoutingProxy(),
} as const satisfies Record<string, () => ZeroMQRoutingStrategy>;

/** Name of a strategy of the package. */
export type StrategyName = keyof typeof FACTORIES;

/** Names of all strategies, the default first. */
export const STRATEGIES = Object.keys(FACTORIES) as readonly StrategyName[];

/**
 * Creates a strategy by its name, with default options.
 *
 * @param name one of {@link STRATEGIES}.
 * @throws {ZeroMQConfigError} when the name is unknown; the message lists the valid ones.
 */
export function createStrategy(name: string): ZeroMQRoutingStrategy {
  if (!Object.hasOwn(FACTORIES, name)) {
    const allowed = STRATEGIES.join(', ');
    throw new ZeroMQConfigError(`strategy must be one of ${allowed}, got ${JSON.stringify(name)}`);
  }
  return FACTORIES[name as StrategyName]();
}
