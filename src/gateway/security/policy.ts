/** Combines the security requirements of the document with the configured schemes. */
import type { OpenAPIV3_1 } from 'openapi-types';
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { Operation } from '../../openapi/model/operation.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import type { GatewaySettings, SchemeSettings } from '../common/settings.ts';
import { ApiKeyAuthenticator } from './api-key.ts';
import type { Authenticator, CredentialLocation } from './authenticator.ts';
import { BasicAuthenticator } from './basic.ts';
import type { Guard } from './guard.ts';
import { JwtAuthenticator } from './jwt.ts';
import { RequirementGuard, type SchemeRequirement } from './requirement-guard.ts';
import { TrustAuthenticator } from './trust.ts';

/** Settings for authentication. */
type PolicySettings = Pick<GatewaySettings, 'auth' | 'trustProxy'>;

const AUTHORIZATION: CredentialLocation = { in: 'header', name: 'Authorization' };

export class SecurityPolicy {
  private readonly authenticators = new Map<string, Authenticator>();

  /** @throws {ZeroMQConfigError} when a configured file is not valid. */
  constructor(
    private readonly settings: PolicySettings,
    logger: GatewayLogger,
  ) {
    for (const [name, scheme] of Object.entries(settings.auth.schemes)) {
      this.authenticators.set(name, newAuthenticator(name, scheme, settings, logger));
    }
  }

  /**
   * The guard of an operation; undefined if it requires no credentials.
   * @throws {ZeroMQConfigError} when it requires a scheme that is not configured.
   */
  guardFor(operation: Operation, document: OpenAPIV3_1.Document): Guard | undefined {
    if (operation.security.length === 0) return undefined;
    const alternatives = operation.security.map((requirement) =>
      Object.entries(requirement).map(([name, scopes]) =>
        this.requirementFor(name, scopes, operation, document),
      ),
    );
    return new RequirementGuard(alternatives, this.settings.auth.realm);
  }

  private requirementFor(
    name: string,
    scopes: readonly string[],
    operation: Operation,
    document: OpenAPIV3_1.Document,
  ): SchemeRequirement {
    const operationName = `${operation.method.toUpperCase()} ${operation.path} (${operation.source})`;
    const scheme = schemeOf(name, document as unknown as JsonObject);
    if (scheme === undefined)
      throw new ZeroMQConfigError(
        `${operationName} requires the security scheme "${name}", which the document does not declare`,
      );
    const authenticator = this.authenticators.get(name);
    if (authenticator === undefined) {
      const known = [...this.authenticators.keys()].join(', ') || 'none';
      throw new ZeroMQConfigError(
        `${operationName} requires the security scheme "${name}", which is not configured (configured: ${known}); ` +
          `set auth.schemes.${name}, with the type trust if a proxy in front of the gateway checks it`,
      );
    }
    const type = typeOf(scheme);
    if (!authenticator.serves(type)) {
      throw new ZeroMQConfigError(
        `auth.schemes.${name} of the type ${this.settings.auth.schemes[name]?.type} cannot serve a security ` +
          `scheme of the type "${type}", which ${operationName} requires; ${remedyFor(type)}`,
      );
    }
    return { authenticator, scopes, location: locationOf(scheme) };
  }
}

function newAuthenticator(
  name: string,
  scheme: SchemeSettings,
  { trustProxy }: PolicySettings,
  logger: GatewayLogger,
): Authenticator {
  switch (scheme.type) {
    case 'apiKey':
      return new ApiKeyAuthenticator(name, scheme, logger);
    case 'basic':
      return new BasicAuthenticator(name, scheme, logger);
    case 'jwt':
      return new JwtAuthenticator(name, scheme, logger);
    case 'trust':
      return new TrustAuthenticator(name, scheme, trustProxy, logger);
  }
}

/** The configured types that can serve a type of the document. */
const SERVED_BY: ReadonlyMap<string, SchemeSettings['type']> = new Map([
  ['apiKey', 'apiKey'],
  ['http basic', 'basic'],
  ['http bearer', 'jwt'],
  ['oauth2', 'jwt'],
  ['openIdConnect', 'jwt'],
]);

function remedyFor(type: string): string {
  const served = SERVED_BY.get(type);
  const ownType = served === undefined ? '' : `${served}, or `;
  return `set its type to ${ownType}trust if a proxy in front of the gateway checks it`;
}

function schemeOf(name: string, document: JsonObject): JsonObject | undefined {
  const components: Json | undefined = member(document, 'components');
  const schemes = isObject(components) ? member(components, 'securitySchemes') : undefined;
  const scheme = isObject(schemes) ? member(schemes, name) : undefined;
  return isObject(scheme) ? scheme : undefined;
}

/** The type of a scheme. For `http`, it includes the authentication scheme. */
function typeOf(scheme: JsonObject): string {
  const { type, scheme: name } = scheme;
  if (type === 'http' && typeof name === 'string') return `http ${name.toLowerCase()}`;
  return typeof type === 'string' ? type : '';
}

function locationOf(scheme: JsonObject): CredentialLocation {
  const { in: where, name } = scheme;
  if (scheme['type'] !== 'apiKey' || typeof name !== 'string') return AUTHORIZATION;
  return { in: where === 'query' || where === 'cookie' ? where : 'header', name };
}
