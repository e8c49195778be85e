/** The security requirements of the document, put together with the schemes that are configured. */
import type { OpenAPIV3_1 } from 'openapi-types';
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { Caller } from '../../core/messages/message.ts';
import type { Operation } from '../../openapi/model/operation.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import { httpProblem, type Problem } from '../common/problem.ts';
import type { AuthSettings } from '../common/settings.ts';
import { ApiKeyAuthenticator } from './api-key.ts';
import type { AuthenticationResult, Authenticator, CredentialPlace } from './authenticator.ts';
import type { Admission, Credentials, Guard } from './guard.ts';
import { JwtAuthenticator } from './jwt.ts';

/** One scheme of one requirement. */
interface Demand {
  readonly authenticator: Authenticator;
  readonly place: CredentialPlace;
  readonly scopes: readonly string[];
}

const BEARER_PLACE: CredentialPlace = { in: 'header', name: 'Authorization' };

export class SecurityPolicy {
  private readonly authenticators = new Map<string, Authenticator>();

  /** @throws ZeroMQConfigError when a file that the settings name cannot be used. */
  constructor(
    private readonly settings: AuthSettings,
    logger: GatewayLogger,
  ) {
    for (const [name, scheme] of Object.entries(settings.schemes)) {
      const authenticator =
        scheme.type === 'apiKey'
          ? new ApiKeyAuthenticator(name, scheme, logger)
          : new JwtAuthenticator(name, scheme, logger);
      this.authenticators.set(name, authenticator);
    }
  }

  /**
   * The guard of an operation; undefined when anybody may call it.
   * @throws ZeroMQConfigError when it demands a scheme that nobody configured.
   */
  guardFor(operation: Operation, document: OpenAPIV3_1.Document): Guard | undefined {
    if (operation.security.length === 0) return undefined;
    const alternatives = operation.security.map((requirement) =>
      Object.entries(requirement).map(([name, scopes]) => this.demand(name, scopes, operation, document)),
    );
    return new RequirementGuard(alternatives, this.settings.realm);
  }

  private demand(
    name: string,
    scopes: readonly string[],
    operation: Operation,
    document: OpenAPIV3_1.Document,
  ): Demand {
    const who = `${operation.method.toUpperCase()} ${operation.path} (${operation.source})`;
    const scheme = schemeOf(name, document as unknown as JsonObject);
    if (scheme === undefined)
      throw new ZeroMQConfigError(`${who} demands the scheme "${name}", which is not in the document`);
    const authenticator = this.authenticators.get(name);
    if (authenticator === undefined) {
      const known = [...this.authenticators.keys()].join(', ') || 'none';
      throw new ZeroMQConfigError(
        `${who} demands the security scheme "${name}", which is not configured (configured: ${known}); ` +
          `set auth.schemes.${name}`,
      );
    }
    const type = typeOf(scheme);
    if (!authenticator.serves(type)) {
      throw new ZeroMQConfigError(
        `auth.schemes.${name} cannot serve a scheme of the type "${type}", which ${who} demands`,
      );
    }
    return { authenticator, scopes, place: placeOf(scheme) };
  }
}

function schemeOf(name: string, document: JsonObject): JsonObject | undefined {
  const components: Json | undefined = member(document, 'components');
  const schemes = isObject(components) ? member(components, 'securitySchemes') : undefined;
  const scheme = isObject(schemes) ? member(schemes, name) : undefined;
  return isObject(scheme) ? scheme : undefined;
}

/** The type of a scheme; for `http`, its scheme of authentication too. */
function typeOf(scheme: JsonObject): string {
  const { type, scheme: name } = scheme;
  if (type === 'http' && typeof name === 'string') return `http ${name.toLowerCase()}`;
  return typeof type === 'string' ? type : '';
}

function placeOf(scheme: JsonObject): CredentialPlace {
  const { in: where, name } = scheme;
  if (scheme['type'] !== 'apiKey' || typeof name !== 'string') return BEARER_PLACE;
  return { in: where === 'query' || where === 'cookie' ? where : 'header', name };
}

/** Enforces one operation's requirements: any of the alternatives, and each scheme of that. */
class RequirementGuard implements Guard {
  readonly queryNames: ReadonlySet<string>;

  constructor(
    private readonly alternatives: readonly (readonly Demand[])[],
    private readonly realm: string,
  ) {
    const places = alternatives.flat().map(({ place }) => place);
    this.queryNames = new Set(places.filter((place) => place.in === 'query').map(({ name }) => name));
  }

  async admit(credentials: Credentials): Promise<Admission> {
    const findings = new Map<Authenticator, AuthenticationResult>();
    let lacking: readonly string[] | undefined;
    let open = false;
    for (const demands of this.alternatives) {
      if (demands.length === 0) open = true;
      const verdict = await this.meet(demands, credentials, findings);
      if (verdict.caller !== undefined) return { caller: verdict.caller };
      lacking ??= verdict.lacking;
    }
    const all = [...findings.values()];
    if (all.some(({ kind }) => kind === 'unavailable')) {
      return {
        problem: httpProblem('AUTH_UNAVAILABLE', 'The credentials cannot be checked now; try again later.'),
      };
    }
    if (lacking !== undefined) return { problem: this.forbidden(lacking) };
    if (open && all.every(({ kind }) => kind === 'missing')) return { caller: undefined };
    return { problem: this.unauthenticated(findings) };
  }

  /** Whether the credentials meet one alternative: who that is, or which scopes are lacking. */
  private async meet(
    demands: readonly Demand[],
    credentials: Credentials,
    findings: Map<Authenticator, AuthenticationResult>,
  ): Promise<{ caller?: Caller; lacking?: readonly string[] }> {
    let caller: Caller | undefined;
    let lacking: readonly string[] | undefined;
    for (const { authenticator, place, scopes } of demands) {
      const finding = findings.get(authenticator) ?? (await authenticator.authenticate(credentials, place));
      findings.set(authenticator, finding);
      if (finding.kind !== 'known') return {};
      const { caller: found } = finding;
      if (!scopes.every((scope) => found.scopes?.includes(scope) === true)) lacking ??= scopes;
      caller = caller === undefined ? found : merged(caller, found);
    }
    return lacking === undefined ? { caller } : { lacking };
  }

  private unauthenticated(findings: ReadonlyMap<Authenticator, AuthenticationResult>): Problem {
    const challenges = new Set<string>();
    const reasons: string[] = [];
    for (const { authenticator, place } of this.alternatives.flat()) {
      const finding = findings.get(authenticator);
      const reason = finding?.kind === 'invalid' ? finding.reason : undefined;
      if (reason !== undefined) reasons.push(reason);
      challenges.add(authenticator.challenge(this.realm, place, reason));
    }
    const headers = [...challenges].flatMap((challenge) => ['WWW-Authenticate', challenge]);
    const why = reasons[0] ?? 'no credentials were sent';
    return httpProblem('UNAUTHENTICATED', `${why[0]?.toUpperCase() ?? ''}${why.slice(1)}.`, headers);
  }

  private forbidden(scopes: readonly string[]): Problem {
    const needed = scopes.join(' ').replace(/["\\\r\n]/g, '');
    const challenge = `Bearer realm="${this.realm}", error="insufficient_scope", scope="${needed}"`;
    return httpProblem('FORBIDDEN', `This needs the scopes ${scopes.join(', ')}.`, [
      'WWW-Authenticate',
      challenge,
    ]);
  }
}

/** Two schemes in one requirement: the first says who it is, the scopes of both count. */
function merged(first: Caller, second: Caller): Caller {
  return { ...first, scopes: [...new Set([...(first.scopes ?? []), ...(second.scopes ?? [])])] };
}
