/** The strategies that come with the framework, and how they are called. */
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

/** Name of a strategy that comes with the framework. */
export type StrategyName = keyof typeof FACTORIES;

/** All of them, the default first. */
export const STRATEGIES = Object.keys(FACTORIES) as readonly StrategyName[];

/**
 * A strategy by its name, with its default options.
 *
 * @throws ZeroMQConfigError when there is none of that name; the message lists what there is.
 */
export function createStrategy(name: string): ZeroMQRoutingStrategy {
  if (!Object.hasOwn(FACTORIES, name)) {
    const allowed = STRATEGIES.join(', ');
    throw new ZeroMQConfigError(`strategy must be one of ${allowed}, got ${JSON.stringify(name)}`);
  }
  return FACTORIES[name as StrategyName]();
}
