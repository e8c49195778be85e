/**
 * src: the public entry `zeromq-gateway`, the framework. The HTTP gateway is
 * `zeromq-gateway/gateway`.
 */

export {
  type BodyChunk,
  type BodyPart,
  type BodySource,
  type CallArguments,
  type CallSender,
  type CallsOf,
  type CallType,
  type CallTypes,
  type ClientSendOptions,
  createCaller,
  type EventCaller,
  type EventSender,
  type SendOptions,
  type StreamEvent,
  type StreamSendOptions,
  ZeroMQClient,
  type ZeroMQClientOptions,
  type ZeroMQReply,
  ZeroMQStream,
} from './client/index.ts';
export {
  type BytesOptions,
  bytes,
  type CheckedEvents,
  type Contract,
  type ContractDefinition,
  ContractError,
  type ContractHandlers,
  type ContractLocation,
  type ContractSchema,
  defineContract,
  type EventData,
  type EventDefinition,
  type EventDefinitions,
  type EventInput,
  type EventItem,
  type EventReplies,
  type EventReply,
  type FormFile,
  type FormFileOptions,
  formFile,
  Joi,
  type NdjsonOptions,
  ndjson,
  type Serialized,
  type SseOptions,
  type StreamedReply,
  type StreamReplyOptions,
  sse,
  typed,
  type Upload,
  type UploadFile,
  type UploadOptions,
  upload,
} from './contract/index.ts';
export type { LargeIntegers } from './core/json/large-integers.ts';
export {
  type Logger,
  type Logging,
  type LoggingOptions,
  setupLogging,
  silentLogger,
} from './core/logging/logging.ts';
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
} from './core/messages/errors.ts';
export type {
  Caller,
  ErrorData,
  InFlight,
  OutgoingRequest,
  ReplyMessage,
  RequestExtras,
  Requester,
  StreamPort,
} from './core/messages/message.ts';
export { OUTCOMES, type OutcomeCode, type OutcomeDefinition } from './core/messages/outcome.ts';
export type {
  BreakerReport,
  BreakerState,
  EventReport,
  RouterReport,
  RouterTotals,
  VersionReport,
  WorkerReport,
  WorkerState,
} from './core/observability/reports.ts';
export type { Cancel, Clock } from './core/time/clock.ts';
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
export type { CallEvent, HandlerContext, HandlerState, StreamEventCall } from './runtime/handler-context.ts';
export {
  type Handler,
  type HandlerOptions,
  type Handlers,
  type HandlersOf,
  type Message,
  type MessageHandler,
  ZeroMQEvent,
} from './runtime/handlers.ts';
export type { EventMiddleware, Middleware, MiddlewareNext, Middlewares } from './runtime/middleware.ts';
export { ZeroMQNodeType } from './runtime/node-type.ts';
export { type Reply, reply, replyOf } from './runtime/reply.ts';
export { type EventFields, event, type ServerSentEvent } from './runtime/streams/event.ts';
export { type FileOptions, file } from './runtime/streams/file-reply.ts';
export type { UploadPart } from './runtime/streams/parts.ts';
export type { ByteRange, RangeValidators } from './runtime/streams/range.ts';
export type { StreamBody, StreamSource } from './runtime/streams/source.ts';
export { type StreamOptions, stream } from './runtime/streams/stream.ts';
export {
  type ServerEndpoints,
  ZeroMQServer,
  type ZeroMQServerBaseOptions,
  type ZeroMQServerOptions,
} from './server/index.ts';
export {
  type ConnectionLike,
  ZeroMQConnection,
  ZeroMQINPROCConnection,
  ZeroMQIPCConnection,
  ZeroMQProtocol,
  ZeroMQTCPConnection,
  type ZeroMQTCPConnectionOptions,
} from './transport/addressing/connection.ts';
export type { DnsOptions } from './transport/addressing/discovery.ts';
export type { DnsResolver, DnsService } from './transport/addressing/resolver.ts';
export {
  AllowList,
  type AllowListDocument,
  type AllowListEntry,
} from './transport/curve/allow-list.ts';
export { AllowListFile, type AllowListFileOptions } from './transport/curve/allow-list-file.ts';
export type { CurveClientOptions, CurveServerOptions } from './transport/curve/curve-options.ts';
export { readKeyFile, readPublicKeyFile, writeKeyFiles } from './transport/curve/key-file.ts';
export { type CurveKeyPair, curveKeyPair } from './transport/curve/keys.ts';
export {
  type PeerAuthenticator,
  type PeerGrant,
  PeerPermissions,
  type PeerRole,
} from './transport/curve/permissions.ts';
export {
  type MonitorEvent,
  type MonitorEventName,
  ZeroMQSocketMonitor,
  ZeroMQSocketStatus,
} from './transport/libzmq/socket-monitor.ts';
export { tuneV8 } from './transport/socket/tune-v8.ts';
export {
  defineWorker,
  type WorkerDefinition,
  type WorkerSettings,
  ZeroMQWorker,
  type ZeroMQWorkerBaseOptions,
  type ZeroMQWorkerOptions,
  ZeroMQWorkerThreads,
  type ZeroMQWorkerThreadsOptions,
} from './worker/index.ts';
