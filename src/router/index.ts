/** router: what the rest of the project may use of it. */

export type { ClassicEventsOption } from './classic-events.ts';
export type { ClientLimits } from './client-limits.ts';
export type { AnnouncedContract, ContractChecker, VersionComparison } from './contract-checker.ts';
export type { AnnouncedContracts } from './contracts.ts';
export type { RouterLimits, RouterNotice } from './options.ts';
export { ZeroMQRouter } from './router.ts';
export type { RouterEndpoints, WorkerDetails, ZeroMQRouterOptions } from './router-options.ts';
export type { RouterStats } from './stats.ts';
export {
  createStrategy,
  LeastLoadedStrategy,
  LeastRecentlyUsedStrategy,
  type PowerOfTwoOptions,
  PowerOfTwoStrategy,
  type RequestView,
  RoundRobinStrategy,
  STRATEGIES,
  type StickyOptions,
  StickyStrategy,
  type StrategyName,
  type WorkerView,
  ZeroMQRoutingProxy,
  type ZeroMQRoutingStrategy,
} from './strategies/index.ts';
