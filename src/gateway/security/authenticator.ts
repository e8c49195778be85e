/** How callers prove who they are: one authenticator for each security scheme that is configured. */
import type { Caller } from '../../core/messages/message.ts';
import type { Credentials } from './guard.ts';

/** Where the document says that a scheme's credential stands. */
export interface CredentialPlace {
  readonly in: 'header' | 'query' | 'cookie';
  readonly name: string;
}

/** How the credentials of a request turned out. */
export type AuthenticationResult =
  | { readonly kind: 'missing'; readonly reason?: string }
  /** `isOther`: the request has credentials of another scheme in the same place. */
  | { readonly kind: 'invalid'; readonly reason: string; readonly isOther?: boolean }
  /** They cannot be checked now. */
  | { readonly kind: 'unavailable' }
  /** They are valid. The caller is undefined where a proxy checked them and does not say whose they are. */
  | { readonly kind: 'known'; readonly caller: Caller | undefined };

export const MISSING: AuthenticationResult = { kind: 'missing' };

export interface Authenticator {
  /** Whether a caller must have the scopes that the document demands. */
  readonly checksScopes: boolean;
  /** Kinds of scheme in the document that it can serve. */
  serves(type: string): boolean;
  authenticate(
    credentials: Credentials,
    place: CredentialPlace,
  ): Promise<AuthenticationResult> | AuthenticationResult;
  /**
   * The challenge in a 401 reply (RFC 9110, 11.6.1).
   * @param reason why the credentials are not valid; undefined when there were none of this scheme.
   */
  challenge(realm: string, place: CredentialPlace, reason: string | undefined): string;
  /**
   * The challenge in a 403 reply, for schemes that have one.
   * @param scopes that are lacking, separated by spaces.
   */
  scopeChallenge?(realm: string, scopes: string): string;
}
