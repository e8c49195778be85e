/**
 * The types of the gateway's settings, which may come from flags, environment and files.
 * `settings-schema.ts` has their Joi schema, with defaults and descriptions.
 */
import type { HelmetOptions } from 'helmet';
import type { AuthSettings } from './auth-settings.ts';
import type { LimitSettings } from './limit-settings.ts';
import type { PathSettings } from './path-settings.ts';
import type { StoredSettings } from './stored-settings.ts';

export type {
  ApiKeySchemeSettings,
  ApiKeySettings,
  AuthSettings,
  BasicSchemeSettings,
  BasicUserSettings,
  JwtSchemeSettings,
  SchemeSettings,
  TrustSchemeSettings,
} from './auth-settings.ts';
export type { LimitSettings } from './limit-settings.ts';
export type { PathSettings } from './path-settings.ts';
export type { StoredSettings } from './stored-settings.ts';

/** The timeouts of HTTP clients, in milliseconds. */
export interface ClientTimeouts {
  /**
   * Time from the first byte of a request to the end of its headers.
   *
   * @defaultValue 10,000
   */
  readonly headers: number;
  /**
   * Time from the end of the headers to the end of the body.
   *
   * @defaultValue 20,000
   */
  readonly body: number;
  /**
   * Idle time after which a connection is closed. The default is longer than the usual 60 s of load
   * balancers.
   *
   * @defaultValue 65,000
   */
  readonly keepAlive: number;
}

/** Compression of responses. */
export interface CompressionSettings {
  /**
   * Minimum size of a response that is compressed, in bytes.
   *
   * @defaultValue 2,048
   */
  readonly threshold: number;
}

/** Checks of workers' replies against the document. */
export interface ReplyCheckSettings {
  /**
   * `report` logs a mismatch as an error, `reject` also responds with 502.
   *
   * @defaultValue `'report'`; `'off'` if `NODE_ENV` is `production`
   */
  readonly check: 'off' | 'report' | 'reject';
  /**
   * Share of the replies that is checked, from 0 to 1.
   *
   * @defaultValue 1
   */
  readonly sample: number;
}

/** Cross-origin resource sharing (CORS, Fetch Standard). */
export interface CorsSettings {
  /** Origins that may read responses, such as `https://app.example`; `*` for all. */
  readonly origins: '*' | readonly string[];
  /**
   * Whether browsers may send cookies and authorization. Not allowed with the origin `*`.
   *
   * @defaultValue false
   */
  readonly credentials: boolean;
  /**
   * Allowed request headers in addition to the safelisted ones.
   *
   * @defaultValue the headers that the preflight requests
   */
  readonly headers?: readonly string[];
  /**
   * Response headers that scripts may read, in addition to those of the gateway.
   *
   * @defaultValue `[]`
   */
  readonly exposed: readonly string[];
  /**
   * How long a browser may cache the response to a preflight, in milliseconds.
   *
   * @defaultValue 600,000
   */
  readonly maxAge: number;
}

/** What a rate limit counts separately. */
export type RateKey = 'client' | 'caller' | 'operation';

/** A rate limit. */
export interface RateLimitSettings {
  /**
   * Name of the limit in the headers `RateLimit` and `RateLimit-Policy`.
   *
   * @defaultValue `'default'`
   */
  readonly name: string;
  /** Maximum requests in a window. */
  readonly limit: number;
  /**
   * Length of the window, in milliseconds.
   *
   * @defaultValue 60,000
   */
  readonly window: number;
  /**
   * Keys of the count: client address, authenticated caller, operation. Each combination of values
   * is counted separately.
   *
   * @defaultValue `['client']`
   */
  readonly per: readonly RateKey[];
  /**
   * Events that the limit applies to. `tasks.*` matches all events with this prefix.
   *
   * @defaultValue all events
   */
  readonly events?: readonly string[];
}

/** TLS of the gateway's own server. */
export interface TlsSettings {
  /** PEM file with the certificate, followed by those of its issuers. */
  readonly cert: string;
  /** PEM file with the private key, without a passphrase. */
  readonly key: string;
}

/** The settings of a gateway, with defaults applied. */
export interface GatewaySettings {
  /**
   * Address to listen on.
   *
   * @defaultValue `'127.0.0.1'`
   */
  readonly host: string;
  /**
   * Port to listen on; 0 picks a free one.
   *
   * @defaultValue 8080
   */
  readonly port: number;
  /**
   * TLS of {@link Gateway.listen}. The files are read again when they change.
   *
   * @defaultValue plain HTTP
   */
  readonly tls?: TlsSettings;
  /**
   * Request timeout of operations without one in the document, in milliseconds. It covers queueing,
   * retries and all hops.
   *
   * @defaultValue 5,000
   */
  readonly timeout: number;
  /**
   * Maximum request timeout that an operation or a caller can set, in milliseconds.
   *
   * @defaultValue 60,000
   */
  readonly maxTimeout: number;
  /**
   * Accepts a `timeout` and a `maxTimeout` below 50 ms, which are usually numbers of seconds and
   * therefore rejected.
   *
   * @defaultValue false
   */
  readonly allowShortDurations: boolean;
  /**
   * Maximum silence of a worker in a stream, in milliseconds: between two chunks of a reply, or
   * until it takes the next chunk of a body. Server-sent events may be silent for longer.
   *
   * @defaultValue 30,000
   */
  readonly streamIdleTimeout: number;
  /**
   * Maximum duration of a stream, from its first chunk to its last, in milliseconds.
   *
   * @defaultValue no limit
   */
  readonly streamTimeout?: number;
  /**
   * Silence after which server-sent events get a comment, in milliseconds, so that proxies and
   * clients keep the connection open.
   *
   * @defaultValue 15,000
   */
  readonly keepAliveComment: number;
  /**
   * Request header with the request timeout of the caller, in milliseconds.
   *
   * @defaultValue `'Request-Timeout'`
   */
  readonly timeoutHeader: string;
  /**
   * Header with the request id, in requests and responses.
   *
   * @defaultValue `'Request-Id'`
   */
  readonly requestIdHeader: string;
  /**
   * `Retry-After` of 503 responses, in milliseconds. It is sent in whole seconds.
   *
   * @defaultValue 1,000
   */
  readonly retryAfter: number;
  /**
   * Prefix of `type` in problem details (RFC 9457). The error code follows.
   *
   * @defaultValue `'urn:zeromq-gateway:error:'`
   */
  readonly problemType: string;
  /**
   * URL at which clients reach the API, for `servers` of the document.
   *
   * @defaultValue the mount path
   */
  readonly publicUrl?: string;
  /**
   * Whether the middleware calls `next()` for unknown paths, and does not respond with 404.
   *
   * @defaultValue false
   */
  readonly fallthrough: boolean;
  /**
   * Trusted proxies, whose `X-Forwarded` headers are used: their addresses or networks, or their
   * number.
   *
   * @defaultValue false
   */
  readonly trustProxy: false | number | readonly string[];
  /**
   * Security headers: options of `helmet`, or `false` for none.
   *
   * @defaultValue true
   */
  readonly helmet: boolean | Readonly<HelmetOptions>;
  /**
   * When responses have a `Server-Timing` header; `on-request`: if the request has `Prefer:
   * server-timing`.
   *
   * @defaultValue `'on-request'`
   */
  readonly serverTiming: 'never' | 'on-request' | 'always';
  /**
   * Whether each request is logged, in one line of level `info`.
   *
   * @defaultValue false
   */
  readonly accessLog: boolean;
  /**
   * Limits of the gateway.
   *
   * @defaultValue the defaults of {@link LimitSettings}
   */
  readonly limits: LimitSettings;
  /**
   * Timeouts of HTTP clients.
   *
   * @defaultValue the defaults of {@link ClientTimeouts}
   */
  readonly clientTimeouts: ClientTimeouts;
  /**
   * Paths of the gateway's own pages.
   *
   * @defaultValue the defaults of {@link PathSettings}
   */
  readonly paths: PathSettings;
  /**
   * Page that shows the document at `paths.docs`. `scalar` needs the optional package
   * `@scalar/api-reference`.
   *
   * @defaultValue `'swagger'`, which is Swagger UI
   */
  readonly docs: 'swagger' | 'scalar';
  /**
   * Compression of responses; `false` disables it.
   *
   * @defaultValue `{ threshold: 2048 }`
   */
  readonly compression: false | CompressionSettings;
  /**
   * Checks of workers' replies.
   *
   * @defaultValue the defaults of {@link ReplyCheckSettings}
   */
  readonly replies: ReplyCheckSettings;
  /**
   * Cross-origin requests; `false` disables them.
   *
   * @defaultValue false
   */
  readonly cors: false | CorsSettings;
  /**
   * Authentication of callers.
   *
   * @defaultValue no schemes
   */
  readonly auth: AuthSettings;
  /**
   * Rate limits.
   *
   * @defaultValue `[]`
   */
  readonly rateLimits: readonly RateLimitSettings[];
  /**
   * URL of a Redis server that counts rate limits for several gateways, `redis://…`.
   *
   * @defaultValue each gateway counts in its own memory
   */
  readonly redis?: string;
  /**
   * URL of the database of asynchronous requests and of requests with an idempotency key:
   * `sqlite:FILE` for one gateway process, or `postgres://USER:PASSWORD@HOST:PORT/DATABASE` for any
   * number of gateways. It is opened when the document has an operation that needs it.
   *
   * @defaultValue none: requests with an idempotency key, and those of operations with
   * `x-async: required`, receive status 503; `Prefer: respond-async` is ignored
   */
  readonly store?: string;
  /**
   * What the store keeps, and for how long.
   *
   * @defaultValue the defaults of {@link StoredSettings}
   */
  readonly stored: StoredSettings;
}
