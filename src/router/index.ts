/**
 * router: takes requests from clients, dispatches each to a worker that serves its event, and
 * returns the reply. Requests enter in `frontend`, wait and are scheduled in `broker` (no I/O), and
 * leave to workers in `backend`; `strategies` choose among workers. This file exports what other
 * layers use.
 */

export type { ClassicEventsOption } from './backend/classic-events.ts';
export type { AnnouncedContract, ContractChecker, VersionComparison } from './backend/contract-checker.ts';
export type { AnnouncedContracts } from './backend/contracts.ts';
export type { ClientLimits } from './broker/client-limits.ts';
export type { RouterLimits, RouterNotice } from './broker/limits.ts';
export type { RouterStats } from './broker/stats.ts';
export { ZeroMQRouter } from './router.ts';
export type { RouterEndpoints, WorkerDetails, ZeroMQRouterOptions } from './router-options.ts';
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
