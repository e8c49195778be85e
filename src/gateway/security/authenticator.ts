/** The interface of authenticators. Each configured security scheme has one. */
import type { Caller } from '../../core/messages/message.ts';
import type { Credentials } from './guard.ts';

/** Where the document declares the credential of a scheme. */
export interface CredentialLocation {
  readonly in: 'header' | 'query' | 'cookie';
  readonly name: string;
}

/** The result of checking the credentials of a request. */
export type AuthenticationResult =
  | { readonly kind: 'missing'; readonly reason?: string }
  /** `isOther`: the request has credentials of another scheme in the same place. */
  | { readonly kind: 'invalid'; readonly reason: string; readonly isOther?: boolean }
  /** The credentials cannot be checked at the moment. */
  | { readonly kind: 'unavailable' }
  /**
   * The credentials are valid. The caller is undefined if a proxy checked them without naming it.
   */
  | { readonly kind: 'known'; readonly caller: Caller | undefined };

export const MISSING: AuthenticationResult = { kind: 'missing' };

export interface Authenticator {
  /** Whether a caller must have the scopes that the document requires. */
  readonly checksScopes: boolean;
  /** Types of schemes in the document that the authenticator supports. */
  serves(type: string): boolean;
  authenticate(
    credentials: Credentials,
    location: CredentialLocation,
  ): Promise<AuthenticationResult> | AuthenticationResult;
  /**
   * The challenge in a 401 response (RFC 9110, 11.6.1).
   * @param reason why the credentials are not valid; undefined if the request has none of this
   *   scheme.
   */
  challenge(realm: string, location: CredentialLocation, reason: string | undefined): string;
  /**
   * The challenge in a 403 response, for schemes that have one.
   * @param scopes missing scopes, separated by spaces.
   */
  scopeChallenge?(realm: string, scopes: string): string;
}
