/**
 * gateway: the public entry `zeromq-gateway/gateway`, with {@link createGateway} and the types of
 * its settings. A request enters in `server`, is matched in `routing`, and is executed in
 * `exchange`.
 */

export type { Health, HealthReason } from '../core/observability/health.ts';
export {
  ApiRegistry,
  type ApiRegistryOptions,
  type ContractComparison,
  contractChecker,
  type DocumentWatcher,
  type LoadedDocument,
  type PutOptions,
  putDocument,
  type RegistryChecker,
  type WatchedDocument,
  type WatchOptions,
  watchDocuments,
} from '../openapi/index.ts';
export type {
  Cancellation,
  FinalState,
  ListQuery,
  RequestState,
  StoredRequest,
  StoreStatistics,
} from '../store/index.ts';
export { type ApiSource, fixedApi, type GatewayLogger, type PendingContracts } from './common/api-source.ts';
export type {
  GatewayHooks,
  HookAnswer,
  HookEvent,
  HookOperation,
  HookProblem,
  HookReply,
  HookRequest,
  HookResult,
  HookState,
} from './common/hook-types.ts';
export { defineHooks } from './common/hooks.ts';
export { HTTP_PROBLEMS, type HttpProblemCode, type RequestIssue } from './common/problem.ts';
export type {
  ApiKeySchemeSettings,
  ApiKeySettings,
  AuthSettings,
  BasicSchemeSettings,
  BasicUserSettings,
  ClientTimeouts,
  CompressionSettings,
  CorsSettings,
  GatewaySettings,
  JwtSchemeSettings,
  LimitSettings,
  PathSettings,
  RateKey,
  RateLimitSettings,
  ReplyCheckSettings,
  SchemeSettings,
  StoredSettings,
  TlsSettings,
  TrustSchemeSettings,
} from './common/settings.ts';
export type { GatewaySettingsInput } from './common/settings-input.ts';
export { readSettings, settingsSchema } from './common/settings-schema.ts';
export type { GatewayStreams } from './context/open-streams.ts';
export type { GatewayStore } from './durable/gateway-store.ts';
export type { KeyResult } from './durable/key-result.ts';
export { createGateway, type Gateway, type GatewayOptions } from './gateway.ts';
export { LiveContracts } from './routing/live-contracts.ts';
export type { GatewayAddress } from './server/listen.ts';
