/**
 * The settings of a gateway: plain data that may come from flags, environment and files. `settings-schema.ts` has
 * their one Joi schema, with defaults and descriptions; this file has their types.
 */
import type { HelmetOptions } from 'helmet';

/** How much the gateway holds at most. */
export interface LimitSettings {
  /** Operation requests in flight at a time; more are answered 503. Default 10,000. */
  readonly inFlight: number;
  /**
   * Requests of one connection in flight at a time, where it sends some before others are answered; more wait.
   * Never more than half of `inFlight`. Default 64.
   */
  readonly pipelined: number;
  /** Bytes of one request body, before and after decompression; more is answered 413. Default 1 MiB. */
  readonly body: number;
  /** Bytes of all request bodies that are being read; more are answered 503. Default 256 MiB. */
  readonly buffered: number;
  /** Bytes of the request line and headers; more are answered 431. Default 16 KiB. */
  readonly headers: number;
  /** Levels of nesting in a JSON body; more are answered 400. Default 100. */
  readonly depth: number;
}

/** How long clients may take; all in ms. */
export interface ClientTimeouts {
  /** From the first byte of a request to the end of its headers. Default 10,000. */
  readonly headers: number;
  /** For the body, once the headers are there. Default 20,000. */
  readonly body: number;
  /** Idle time of a kept-alive connection. Default 65,000: longer than load balancers' usual 60 s. */
  readonly keepAlive: number;
}

/** Where the gateway's own pages are; `false` leaves one out. */
export interface PathSettings {
  /** Without ending: `/openapi` gives `/openapi.json` and `/openapi.yaml`. */
  readonly openapi: string | false;
  /** Swagger UI; needs the document too. */
  readonly docs: string | false;
  readonly livez: string | false;
  readonly readyz: string | false;
}

/** Compression of replies. */
export interface CompressionSettings {
  /** Smallest reply that is compressed, in bytes. Default 2,048. */
  readonly threshold: number;
}

/** Whether replies of workers are held against the document. */
export interface ReplyCheckSettings {
  /** `report` logs a mismatch as an error, `refuse` also answers 502. Default `report`; in production `off`. */
  readonly check: 'off' | 'report' | 'refuse';
  /** Share of the replies that is checked, 0 to 1. Default 1. */
  readonly sample: number;
}

/** Cross-origin requests (fetch standard). */
export interface CorsSettings {
  /** Origins that may read replies, such as `https://app.example`; `*` for all. */
  readonly origins: '*' | readonly string[];
  /** Whether browsers may send cookies and authorization. Not with `*`. Default false. */
  readonly credentials: boolean;
  /** Request headers allowed beyond the safelisted ones; default: whatever the preflight asks for. */
  readonly headers?: readonly string[];
  /** Reply headers that scripts may read, beside those of the gateway. */
  readonly exposed: readonly string[];
  /** How long a browser may keep the answer to a preflight, in ms. Default 600,000. */
  readonly maxAge: number;
}

/** One API key. Give its SHA-256 hash; a `key` in plain text is hashed at once and not kept. */
export interface ApiKeySettings {
  /** Name of the caller, which workers see. */
  readonly id: string;
  /** SHA-256 of the key, 64 hex digits. */
  readonly sha256?: string;
  readonly key?: string;
  readonly scopes?: readonly string[];
}

/** An `apiKey` scheme of the document: where the key stands in the request, the document says. */
export interface ApiKeySchemeSettings {
  readonly type: 'apiKey';
  readonly keys?: readonly ApiKeySettings[];
  /** JSON file with a list of further keys; read again when it changes. */
  readonly file?: string;
}

/** A bearer token scheme of the document (`http` bearer, `oauth2`, `openIdConnect`): JSON web tokens (RFC 7519). */
export interface JwtSchemeSettings {
  readonly type: 'jwt';
  /** Where the issuer's keys are; fetched when first needed, again when an unknown key is named. */
  readonly jwksUrl?: string;
  /** JSON file with the issuer's keys, read again when it changes. One of the two must be given. */
  readonly jwksFile?: string;
  /** Accepted `iss`. */
  readonly issuer: string | readonly string[];
  /** Accepted `aud`. */
  readonly audience: string | readonly string[];
  /** Accepted signature algorithms. Default: the asymmetric ones. */
  readonly algorithms: readonly string[];
  /** How far clocks may differ, in ms. Default 5,000. */
  readonly clockTolerance: number;
  /** Claim that holds the scopes, as a list or separated by spaces. Default `scope`. */
  readonly scopeClaim: string;
  /** Claims that workers see; default: none but subject and scopes. */
  readonly claims: readonly string[];
}

/** A user who sends a name and a password. */
export interface BasicUserSettings {
  /** User name, which workers see as the caller. */
  readonly id: string;
  /** bcrypt hash of the password. Leave it out for a user whose hash is in the file. */
  readonly hash?: string;
  readonly scopes?: readonly string[];
}

/** An `http` `basic` scheme of the document: user names and passwords (RFC 7617). */
export interface BasicSchemeSettings {
  readonly type: 'basic';
  readonly users?: readonly BasicUserSettings[];
  /** File with lines `user:hash`, hashed by bcrypt, as `zeromq-gateway passwd` makes them; read again when it changes. */
  readonly file?: string;
}

/** A scheme of the document, of any type, that a proxy in front of the gateway checks. The gateway does not check it. */
export interface TrustSchemeSettings {
  readonly type: 'trust';
  /** Request header in which the proxy names the caller, such as `X-Forwarded-User`. Default: workers see no caller. */
  readonly header?: string;
  /**
   * Addresses or networks of the proxies; requests from elsewhere do not meet the scheme. Default: those of
   * `trustProxy` if it lists any, else every address.
   */
  readonly proxies?: readonly string[];
}

export type SchemeSettings =
  | ApiKeySchemeSettings
  | BasicSchemeSettings
  | JwtSchemeSettings
  | TrustSchemeSettings;

/** Who may call. */
export interface AuthSettings {
  /** Realm of the challenge in 401 replies. Default `api`. */
  readonly realm: string;
  /** By the names that `components.securitySchemes` of the document gives them. */
  readonly schemes: Readonly<Record<string, SchemeSettings>>;
}

/** What a rate limit counts apart. */
export type RateKey = 'client' | 'caller' | 'operation';

/** One rate limit. */
export interface RateLimitSettings {
  /** Name in `RateLimit` and `RateLimit-Policy`. */
  readonly name: string;
  /** Requests allowed in a window. */
  readonly limit: number;
  /** Length of the window, in ms. Default 60,000. */
  readonly window: number;
  /** Each combination of these has its own count: client address, authenticated caller, operation. */
  readonly per: readonly RateKey[];
  /** Events it applies to; `tasks.*` names a family. Default: all. */
  readonly events?: readonly string[];
}

/** All settings, complete. */
export interface GatewaySettings {
  readonly host: string;
  readonly port: number;
  /** Time for an operation, in ms, over queueing, retries and hops, where the document does not say. Default 5,000. */
  readonly timeout: number;
  /** Most that an operation or a request's own header may ask for, in ms. Default 60,000. */
  readonly maxTimeout: number;
  /** Request header in which a caller says how long it waits, in ms. */
  readonly timeoutHeader: string;
  /** Header that carries the id of a request, in and out. */
  readonly requestIdHeader: string;
  /** `Retry-After` of 503 replies, in ms; sent in whole seconds. Default 1,000. */
  readonly retryAfter: number;
  /** What `type` of problem details starts with; the code follows. */
  readonly problemType: string;
  /** URL under which clients reach the API; `servers` of the document. Default: the path it is mounted under. */
  readonly publicUrl?: string;
  /** Whether the middleware passes unknown paths on to `next()` in place of answering 404. Default false. */
  readonly fallthrough: boolean;
  /** Addresses or networks of proxies whose X-Forwarded headers count, or the number of proxies before us. */
  readonly trustProxy: false | number | readonly string[];
  /** Security headers, or none. */
  readonly helmet: boolean | Readonly<HelmetOptions>;
  /** `asked`: when the request says `Prefer: server-timing`. Default `asked`. */
  readonly serverTiming: 'never' | 'asked' | 'always';
  /** Whether each request is logged in a line of level `info`. Default false. */
  readonly accessLog: boolean;
  readonly limits: LimitSettings;
  readonly clientTimeouts: ClientTimeouts;
  readonly paths: PathSettings;
  readonly compression: false | CompressionSettings;
  readonly replies: ReplyCheckSettings;
  readonly cors: false | CorsSettings;
  readonly auth: AuthSettings;
  readonly rateLimits: readonly RateLimitSettings[];
  /** Where rate limits are counted for several gateways together, `redis://…`; default: in each one's memory. */
  readonly redis?: string;
}

type DeepPartial<Value> = Value extends readonly unknown[] | string | number | boolean | undefined
  ? Value
  : { readonly [Key in keyof Value]?: DeepPartial<Value[Key]> };

/** Settings as a user gives them: what is left out has its default. */
export type GatewaySettingsInput = Omit<DeepPartial<GatewaySettings>, 'helmet' | 'auth' | 'rateLimits'> & {
  readonly helmet?: GatewaySettings['helmet'];
  readonly auth?: {
    readonly realm?: string;
    readonly schemes?: Readonly<Record<string, Exclude<SchemeSettings, JwtSchemeSettings> | JwtSchemeInput>>;
  };
  readonly rateLimits?: readonly (Pick<RateLimitSettings, 'limit'> & Partial<RateLimitSettings>)[];
};

/** A bearer token scheme as a user gives it. */
type JwtSchemeInput = Pick<JwtSchemeSettings, 'type' | 'issuer' | 'audience'> & Partial<JwtSchemeSettings>;
