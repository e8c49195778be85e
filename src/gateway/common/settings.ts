/**
 * The types of the gateway's settings, which may come from flags, environment and files.
 * `settings-schema.ts` has their Joi schema, with defaults and descriptions.
 */
import type { HelmetOptions } from 'helmet';

/** The limits of a gateway. */
export interface LimitSettings {
  /**
   * Maximum operation requests in flight. The gateway rejects more with 503.
   *
   * @defaultValue 10,000
   */
  readonly inFlight: number;
  /**
   * Maximum pipelined requests of one connection in flight, at most half of `inFlight`. More wait.
   *
   * @defaultValue 64
   */
  readonly pipelined: number;
  /**
   * Maximum size of a request body in bytes, before and after decompression. The gateway rejects
   * larger ones with 413.
   *
   * @defaultValue 1,048,576 (1 MiB)
   */
  readonly body: number;
  /**
   * Maximum size of all request bodies that are being read, in bytes. The gateway rejects more with
   * 503.
   *
   * @defaultValue 268,435,456 (256 MiB)
   */
  readonly buffered: number;
  /**
   * Maximum size of request line and headers, in bytes. The gateway rejects larger ones with 431.
   *
   * @defaultValue 16,384 (16 KiB)
   */
  readonly headers: number;
  /**
   * Maximum levels of nesting in a JSON body. The gateway rejects deeper ones with 400.
   *
   * @defaultValue 100
   */
  readonly depth: number;
}

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

/** The paths of the gateway's own pages. `false` disables a page. */
export interface PathSettings {
  /**
   * Path of the document without extension: `/openapi` serves `/openapi.json` and `/openapi.yaml`.
   *
   * @defaultValue `'/openapi'`
   */
  readonly openapi: string | false;
  /**
   * Path of Swagger UI, which requires the document.
   *
   * @defaultValue `'/docs'`
   */
  readonly docs: string | false;
  /**
   * Path of the liveness check.
   *
   * @defaultValue `'/livez'`
   */
  readonly livez: string | false;
  /**
   * Path of the readiness check.
   *
   * @defaultValue `'/readyz'`
   */
  readonly readyz: string | false;
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
   * `report` logs a mismatch as an error, `refuse` also responds with 502.
   *
   * @defaultValue `'report'`; `'off'` if `NODE_ENV` is `production`
   */
  readonly check: 'off' | 'report' | 'refuse';
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

/** An API key, as its SHA-256 hash or in plain text. A key in plain text is hashed at startup. */
export interface ApiKeySettings {
  /** Name of the caller, which workers receive. */
  readonly id: string;
  /** SHA-256 hash of the key, as 64 hex digits. */
  readonly sha256?: string;
  /** The key in plain text, in place of `sha256`. */
  readonly key?: string;
  /** Scopes of the caller. */
  readonly scopes?: readonly string[];
}

/** An `apiKey` scheme. The document declares where the key is in the request. */
export interface ApiKeySchemeSettings {
  readonly type: 'apiKey';
  /** The keys. */
  readonly keys?: readonly ApiKeySettings[];
  /** JSON file with a list of further keys. The gateway reads it again when it changes. */
  readonly file?: string;
}

/**
 * A bearer token scheme of the document (`http` bearer, `oauth2`, `openIdConnect`) that accepts
 * JSON Web Tokens (RFC 7519).
 */
export interface JwtSchemeSettings {
  readonly type: 'jwt';
  /**
   * URL of the issuer's keys. They are fetched when first needed, and again for unknown key ids.
   */
  readonly jwksUrl?: string;
  /** JSON file with the issuer's keys, in place of `jwksUrl`. It is read again when it changes. */
  readonly jwksFile?: string;
  /** Accepted values of the claim `iss`. */
  readonly issuer: string | readonly string[];
  /** Accepted values of the claim `aud`. */
  readonly audience: string | readonly string[];
  /**
   * Accepted signature algorithms.
   *
   * @defaultValue the asymmetric algorithms
   */
  readonly algorithms: readonly string[];
  /**
   * Tolerated difference between clocks, in milliseconds.
   *
   * @defaultValue 5,000
   */
  readonly clockTolerance: number;
  /**
   * Claim with the scopes, as an array or separated by spaces.
   *
   * @defaultValue `'scope'`
   */
  readonly scopeClaim: string;
  /**
   * Claims that workers receive in addition to subject and scopes.
   *
   * @defaultValue `[]`
   */
  readonly claims: readonly string[];
}

/** A user of a `basic` scheme. */
export interface BasicUserSettings {
  /** User name, which workers receive as the caller. */
  readonly id: string;
  /**
   * bcrypt hash of the password.
   *
   * @defaultValue the hash of this user in `file`
   */
  readonly hash?: string;
  /**
   * Scopes of the user.
   *
   * @defaultValue none
   */
  readonly scopes?: readonly string[];
}

/** An `http` `basic` scheme of the document: user names and passwords (RFC 7617). */
export interface BasicSchemeSettings {
  /** Selects this scheme. */
  readonly type: 'basic';
  /**
   * The users.
   *
   * @defaultValue none
   */
  readonly users?: readonly BasicUserSettings[];
  /**
   * File with lines `user:hash` (bcrypt), as `zeromq-gateway passwd` writes them. It is read again
   * when it changes.
   *
   * @defaultValue no file
   */
  readonly file?: string;
}

/**
 * A security scheme of any type that a proxy in front of the gateway checks. The gateway does not
 * check it.
 */
export interface TrustSchemeSettings {
  /** Selects this scheme. */
  readonly type: 'trust';
  /**
   * Request header in which the proxy names the caller, such as `X-Forwarded-User`.
   *
   * @defaultValue none: workers see no caller
   */
  readonly header?: string;
  /**
   * Addresses or networks of the proxies. Requests from other addresses do not satisfy the scheme.
   *
   * @defaultValue the addresses in `trustProxy` if it lists any, otherwise all addresses
   */
  readonly proxies?: readonly string[];
}

/** The settings of a security scheme. */
export type SchemeSettings =
  | ApiKeySchemeSettings
  | BasicSchemeSettings
  | JwtSchemeSettings
  | TrustSchemeSettings;

/** Authentication of callers. */
export interface AuthSettings {
  /**
   * Realm of the challenge in 401 responses.
   *
   * @defaultValue `'api'`
   */
  readonly realm: string;
  /** By the names that `components.securitySchemes` of the document gives them. */
  readonly schemes: Readonly<Record<string, SchemeSettings>>;
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
   * When responses have a `Server-Timing` header; `asked`: if the request has `Prefer:
   * server-timing`.
   *
   * @defaultValue `'asked'`
   */
  readonly serverTiming: 'never' | 'asked' | 'always';
  /**
   * Whether each request is logged, in one line of level `info`.
   *
   * @defaultValue false
   */
  readonly accessLog: boolean;
  /** Limits of the gateway. */
  readonly limits: LimitSettings;
  /** Timeouts of HTTP clients. */
  readonly clientTimeouts: ClientTimeouts;
  /** Paths of the gateway's own pages. */
  readonly paths: PathSettings;
  /**
   * Compression of responses; `false` disables it.
   *
   * @defaultValue `{ threshold: 2048 }`
   */
  readonly compression: false | CompressionSettings;
  /** Checks of workers' replies. */
  readonly replies: ReplyCheckSettings;
  /**
   * Cross-origin requests; `false` disables them.
   *
   * @defaultValue false
   */
  readonly cors: false | CorsSettings;
  /** Authentication of callers. */
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
}

type DeepPartial<Value> = Value extends readonly unknown[] | string | number | boolean | undefined
  ? Value
  : { readonly [Key in keyof Value]?: DeepPartial<Value[Key]> };

/** The settings of a gateway as input. Missing settings have their defaults. */
export type GatewaySettingsInput = Omit<DeepPartial<GatewaySettings>, 'helmet' | 'auth' | 'rateLimits'> & {
  readonly helmet?: GatewaySettings['helmet'];
  readonly auth?: {
    readonly realm?: string;
    readonly schemes?: Readonly<Record<string, Exclude<SchemeSettings, JwtSchemeSettings> | JwtSchemeInput>>;
  };
  readonly rateLimits?: readonly (Pick<RateLimitSettings, 'limit'> & Partial<RateLimitSettings>)[];
};

/** A bearer token scheme as input. */
type JwtSchemeInput = Pick<JwtSchemeSettings, 'type' | 'issuer' | 'audience'> & Partial<JwtSchemeSettings>;
