/** zeromq-gateway: the framework's public names. The HTTP gateway is `zeromq-gateway/gateway`. */

export {
  type SendOptions,
  ZeroMQClient,
  type ZeroMQClientOptions,
  type ZeroMQReply,
} from './client/index.ts';
export { type Contract, ContractError, type ContractPlace, defineContract } from './contract/index.ts';
export {
  ReplyError,
  ZeroMQClientError,
  ZeroMQConfigError,
  ZeroMQConnectionError,
  ZeroMQError,
  type ZeroMQErrorOptions,
  ZeroMQMalformedMessage,
  ZeroMQSocketClosed,
  ZeroMQSocketDisconnected,
  ZeroMQSocketError,
  ZeroMQSocketInvalid,
  ZeroMQTimeoutError,
} from './core/errors.ts';
export type {
  BreakerReport,
  BreakerState,
  EventReport,
  RouterReport,
  RouterTotals,
  WorkerReport,
  WorkerState,
} from './core/introspection.ts';
export type { LargeIntegers } from './core/large-integers.ts';
export {
  type Logger,
  type Logging,
  type LoggingOptions,
  setupLogging,
  silentLogger,
} from './core/logging.ts';
export type {
  Caller,
  ErrorData,
  InFlight,
  OutgoingRequest,
  ReplyMessage,
  RequestExtras,
  Requester,
} from './core/message.ts';
export { OUTCOMES, type OutcomeCode, type OutcomeDefinition } from './core/outcome.ts';
export { ZeroMQHeartbeatConfig, type ZeroMQHeartbeatConfigOptions } from './liveness/index.ts';
export {
  type AnnouncedContract,
  type ClassicEventsOption,
  type ClientLimits,
  type ContractChecker,
  createStrategy,
  LeastLoadedStrategy,
  LeastRecentlyUsedStrategy,
  type PowerOfTwoOptions,
  PowerOfTwoStrategy,
  type RequestView,
  RoundRobinStrategy,
  type RouterEndpoints,
  type RouterLimits,
  type RouterNotice,
  type RouterStats,
  STRATEGIES,
  type StickyOptions,
  StickyStrategy,
  type StrategyName,
  type VersionComparison,
  type WorkerView,
  ZeroMQRouter,
  type ZeroMQRouterOptions,
  ZeroMQRoutingProxy,
  type ZeroMQRoutingStrategy,
} from './router/index.ts';
export { type ServerEndpoints, ZeroMQServer, type ZeroMQServerOptions } from './server/index.ts';
export type { HandlerContext } from './service/context.ts';
export {
  type Handler,
  type Handlers,
  type Message,
  type MessageHandler,
  ZeroMQEvent,
} from './service/handlers.ts';
export { ZeroMQNodeType } from './service/node-type.ts';
export { reply } from './service/reply.ts';
export {
  type ConnectionLike,
  ZeroMQConnection,
  ZeroMQINPROCConnection,
  ZeroMQIPCConnection,
  ZeroMQProtocol,
  ZeroMQTCPConnection,
  type ZeroMQTCPConnectionOptions,
} from './transport/connection.ts';
export {
  AllowList,
  type AllowListDocument,
  type AllowListEntry,
} from './transport/curve/allow-list.ts';
export { AllowListFile, type AllowListFileOptions } from './transport/curve/allow-list-file.ts';
export { readKeyFile, readPublicKeyFile, writeKeyFiles } from './transport/curve/key-file.ts';
export { type CurveKeyPair, curveKeyPair } from './transport/curve/keys.ts';
export {
  type PeerAuthenticator,
  type PeerGrant,
  PeerRights,
  type PeerRole,
} from './transport/curve/rights.ts';
export type { CurveClientOptions, CurveServerOptions } from './transport/curve/security.ts';
export type { DnsOptions } from './transport/discovery.ts';
export type { DnsResolver, DnsService } from './transport/resolver.ts';
export {
  type MonitorEvent,
  type MonitorEventName,
  ZeroMQSocketMonitor,
  ZeroMQSocketStatus,
} from './transport/socket-monitor.ts';
export {
  defineWorker,
  type WorkerDefinition,
  ZeroMQWorker,
  type ZeroMQWorkerOptions,
  ZeroMQWorkerThreads,
  type ZeroMQWorkerThreadsOptions,
} from './worker/index.ts';
