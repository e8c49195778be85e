import { createStrategy, STRATEGIES } from '../../src/router/strategies/index.ts';
import type { ZeroMQRoutingStrategy } from '../../src/router/strategies/strategy.ts';
import { strategyConformance } from './strategies.ts';

for (const name of STRATEGIES) {
  if (name !== 'proxy') strategyConformance(name, () => createStrategy(name), { sticky: name === 'sticky' });
}

/**
 * A strategy as a user might write it: prefers the worker with the fewest requests, then the one
 * that has been idle longest.
 */
strategyConformance("a user's own", () => {
  const fewest: ZeroMQRoutingStrategy = {
    name: 'fewest',
    pick: (candidates) =>
      [...candidates].sort(
        (a, b) => a.held - b.held || a.lastPicked - b.lastPicked || a.joined - b.joined,
      )[0],
  };
  return fewest;
});
