/** Verifies bearer tokens that are JSON Web Tokens (RFC 6750, RFC 7519), with jose. */
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from 'jose';
import * as errors from 'jose/errors';
import { createLocalJWKSet } from 'jose/jwks/local';
import { createRemoteJWKSet } from 'jose/jwks/remote';
import { jwtVerify } from 'jose/jwt/verify';
import { toError } from '../../core/messages/errors.ts';
import type { Caller } from '../../core/messages/message.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import { openKeyFile } from '../common/reloaded-file.ts';
import type { JwtSchemeSettings } from '../common/settings.ts';
import {
  type AuthenticationResult,
  type Authenticator,
  type CredentialLocation,
  MISSING,
} from './authenticator.ts';
import type { Credentials } from './guard.ts';

const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;

/** Errors that the token does not cause. */
const PROVIDER_ERRORS: ReadonlySet<string> = new Set([errors.JWKSTimeout.code, errors.JWKSInvalid.code]);

export class JwtAuthenticator implements Authenticator {
  readonly checksScopes = true;
  private readonly keys: JWTVerifyGetKey;

  /** @throws {ZeroMQConfigError} when the file with the issuer's keys is not valid. */
  constructor(
    name: string,
    private readonly settings: JwtSchemeSettings,
    private readonly logger: GatewayLogger,
  ) {
    this.keys =
      settings.jwksUrl === undefined
        ? localKeys(name, settings.jwksFile ?? '', logger)
        : createRemoteJWKSet(new URL(settings.jwksUrl));
  }

  serves(type: string): boolean {
    return type === 'http bearer' || type === 'oauth2' || type === 'openIdConnect';
  }

  async authenticate({ headers }: Credentials): Promise<AuthenticationResult> {
    if (headers.authorization === undefined) return MISSING;
    const token = BEARER.exec(headers.authorization)?.[1];
    if (token === undefined) {
      const isOther = !/^Bearer(?: |$)/i.test(headers.authorization);
      return { kind: 'invalid', reason: 'the Authorization header does not contain a bearer token', isOther };
    }
    const { issuer, audience, algorithms, clockTolerance } = this.settings;
    try {
      const { payload } = await jwtVerify(token, this.keys, {
        issuer: [...[issuer].flat()],
        audience: [...[audience].flat()],
        algorithms: [...algorithms],
        clockTolerance: clockTolerance / 1000,
        requiredClaims: ['exp'],
      });
      const caller = this.callerOf(payload);
      return caller === undefined
        ? { kind: 'invalid', reason: 'the token has no subject' }
        : { kind: 'known', caller };
    } catch (error) {
      if (
        error instanceof errors.JOSEError &&
        !PROVIDER_ERRORS.has(error.code) &&
        error.code !== errors.JOSEError.code
      ) {
        return { kind: 'invalid', reason: reasonOf(error) };
      }
      this.logger.error({ err: toError(error) }, 'cannot fetch the keys of the token issuer');
      return { kind: 'unavailable' };
    }
  }

  challenge(realm: string, _location: CredentialLocation, reason: string | undefined): string {
    const error = reason === undefined ? '' : `, error="invalid_token", error_description="${reason}"`;
    return `Bearer realm="${realm}"${error}`;
  }

  scopeChallenge(realm: string, scopes: string): string {
    return `Bearer realm="${realm}", error="insufficient_scope", scope="${scopes}"`;
  }

  private callerOf(payload: JWTPayload): Caller | undefined {
    const id = [payload.sub, payload['client_id'], payload['azp']].find(
      (name) => typeof name === 'string' && name !== '',
    );
    if (typeof id !== 'string') return undefined;
    const given = payload[this.settings.scopeClaim];
    const scopes = Array.isArray(given)
      ? given.map(String)
      : typeof given === 'string'
        ? given.split(' ')
        : [];
    const claims = this.settings.claims.filter((name) => Object.hasOwn(payload, name));
    return {
      id,
      scopes: scopes.filter((scope) => scope !== ''),
      claims:
        claims.length === 0 ? undefined : Object.fromEntries(claims.map((name) => [name, payload[name]])),
    };
  }
}

/** Why a token is rejected, in characters that are valid in a header. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `the claim ${error.claim.replace(/\W/g, '')} is not accepted`;
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature is not valid';
  if (error instanceof errors.JWKSNoMatchingKey) return 'the key of the token is unknown';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the algorithm of the token is not accepted';
  return 'the token is not valid';
}

function localKeys(name: string, file: string, logger: GatewayLogger): JWTVerifyGetKey {
  const parse = (text: string): JWTVerifyGetKey => createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
  const keys = openKeyFile(name, 'jwksFile', file, parse, logger);
  return (header, token) => keys.value(header, token);
}
