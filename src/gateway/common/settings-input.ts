/** The type of a gateway's settings as callers write them. */
import type { JwtSchemeInput, JwtSchemeSettings, SchemeSettings } from './auth-settings.ts';
import type { GatewaySettings, RateLimitSettings } from './settings.ts';

type DeepPartial<Value> = Value extends readonly unknown[] | string | number | boolean | undefined
  ? Value
  : { readonly [Key in keyof Value]?: DeepPartial<Value[Key]> };

/** The settings of a gateway as input. Missing settings have their defaults. */
export type GatewaySettingsInput = Omit<DeepPartial<GatewaySettings>, 'helmet' | 'auth' | 'rateLimits'> & {
  /**
   * Security headers: options of `helmet`, or `false` for none.
   *
   * @defaultValue true
   */
  readonly helmet?: GatewaySettings['helmet'];
  /**
   * Authentication of callers.
   *
   * @defaultValue no schemes
   */
  readonly auth?: {
    /**
     * Realm of the challenge in 401 responses.
     *
     * @defaultValue `'api'`
     */
    readonly realm?: string;
    /**
     * Security schemes, by the names that `components.securitySchemes` of the document gives them.
     *
     * @defaultValue none
     */
    readonly schemes?: Readonly<Record<string, Exclude<SchemeSettings, JwtSchemeSettings> | JwtSchemeInput>>;
  };
  /**
   * Rate limits.
   *
   * @defaultValue `[]`
   */
  readonly rateLimits?: readonly (Pick<RateLimitSettings, 'limit'> & Partial<RateLimitSettings>)[];
};
