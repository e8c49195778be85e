/** The types of the settings for authentication. */

/** An API key, as its SHA-256 hash or in plain text. A key in plain text is hashed at startup. */
export interface ApiKeySettings {
  /** Name of the caller, which workers receive. */
  readonly id: string;
  /**
   * SHA-256 hash of the key, as 64 hex digits.
   *
   * @defaultValue none: `key` is required
   */
  readonly sha256?: string;
  /**
   * The key in plain text instead of `sha256`, at least 16 characters.
   *
   * @defaultValue none: `sha256` is required
   */
  readonly key?: string;
  /**
   * Scopes of the caller.
   *
   * @defaultValue none
   */
  readonly scopes?: readonly string[];
}

/** An `apiKey` scheme. The document declares where the key is in the request. */
export interface ApiKeySchemeSettings {
  /** Selects this scheme. */
  readonly type: 'apiKey';
  /**
   * The keys. A scheme needs `keys`, `file` or both.
   *
   * @defaultValue none
   */
  readonly keys?: readonly ApiKeySettings[];
  /**
   * JSON file with a list of further keys. Changes apply within a second.
   *
   * @defaultValue no file
   */
  readonly file?: string;
}

/**
 * A bearer token scheme of the document (`http` bearer, `oauth2`, `openIdConnect`) that accepts
 * JSON Web Tokens (RFC 7519).
 */
export interface JwtSchemeSettings {
  /** Selects this scheme. */
  readonly type: 'jwt';
  /**
   * URL of the issuer's JSON Web Key Set (RFC 7517). It is fetched when first needed, and again for
   * unknown key ids.
   *
   * @defaultValue none: `jwksFile` is required
   */
  readonly jwksUrl?: string;
  /**
   * JSON file with the issuer's key set instead of `jwksUrl`. Changes apply within a second.
   *
   * @defaultValue none: `jwksUrl` is required
   */
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

/** A bearer token scheme as input. */
export type JwtSchemeInput = Pick<JwtSchemeSettings, 'type' | 'issuer' | 'audience'> &
  Partial<JwtSchemeSettings>;
