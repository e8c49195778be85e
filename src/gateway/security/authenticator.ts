/** How callers prove who they are: one authenticator for each security scheme that is configured. */
import type { Caller } from '../../core/messages/message.ts';
import type { Credentials } from './guard.ts';

/** Where the document says that a scheme's credential stands. */
export interface CredentialPlace {
  readonly in: 'header' | 'query' | 'cookie';
  readonly name: string;
}

/** What became of the credentials: there were none, they are not valid, they cannot be checked, or this is the caller. */
export type AuthenticationResult =
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid'; readonly reason: string }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'known'; readonly caller: Caller };

export const MISSING: AuthenticationResult = { kind: 'missing' };

export interface Authenticator {
  /** Kinds of scheme in the document that it can serve. */
  serves(type: string): boolean;
  authenticate(
    credentials: Credentials,
    place: CredentialPlace,
  ): Promise<AuthenticationResult> | AuthenticationResult;
  /**
   * The challenge in a 401 reply (RFC 9110, 11.6.1).
   * @param reason why the credentials are not valid; undefined when there were none.
   */
  challenge(realm: string, place: CredentialPlace, reason: string | undefined): string;
}
