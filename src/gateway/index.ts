/** REST for workers: `createGateway`, and the shapes of its settings. Public as `zeromq-gateway/gateway`. */
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
} from '../apidoc/index.ts';
export type { Health, HealthReason } from '../core/health.ts';
export { createGateway, type Gateway, type GatewayAddress, type GatewayOptions } from './gateway.ts';
export { LiveContracts } from './live-contracts.ts';
export { type Fault, HTTP_PROBLEMS, type HttpProblemCode } from './problem.ts';
export type {
  ApiKeySchemeSettings,
  ApiKeySettings,
  AuthSettings,
  ClientTimeouts,
  CompressionSettings,
  CorsSettings,
  GatewaySettings,
  GatewaySettingsInput,
  JwtSchemeSettings,
  LimitSettings,
  PathSettings,
  RateKey,
  RateLimitSettings,
  ReplyCheckSettings,
  SchemeSettings,
} from './settings.ts';
export { readSettings, settingsSchema } from './settings-schema.ts';
export { type ApiSource, type AwaitedContracts, fixedApi, type GatewayLogger } from './source.ts';
