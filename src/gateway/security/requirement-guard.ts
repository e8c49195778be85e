/** Enforces the security requirements of one operation. */
import type { Caller } from '../../core/messages/message.ts';
import { httpProblem, type Problem } from '../common/problem.ts';
import type { AuthenticationResult, Authenticator, CredentialLocation } from './authenticator.ts';
import type { Admission, Credentials, Guard } from './guard.ts';

/** One scheme of one requirement. */
export interface SchemeRequirement {
  readonly authenticator: Authenticator;
  readonly location: CredentialLocation;
  readonly scopes: readonly string[];
}

/** A demand that a caller meets except for its scopes. */
type MissingScopes = Pick<SchemeRequirement, 'authenticator' | 'scopes'>;

/** Result of checking a request against one alternative. */
type AlternativeResult =
  | { readonly kind: 'met'; readonly caller: Caller | undefined }
  | { readonly kind: 'lacking'; readonly missingScopes: MissingScopes }
  | { readonly kind: 'unmet' };

const UNMET: AlternativeResult = { kind: 'unmet' };

/**
 * Enforces the requirements of one operation: the caller must meet every scheme of at least one
 * alternative.
 */
export class RequirementGuard implements Guard {
  readonly queryNames: ReadonlySet<string>;

  constructor(
    private readonly alternatives: readonly (readonly SchemeRequirement[])[],
    private readonly realm: string,
  ) {
    const locations = alternatives.flat().map(({ location }) => location);
    this.queryNames = new Set(
      locations.filter((location) => location.in === 'query').map(({ name }) => name),
    );
  }

  /**
   * Admits the caller, or returns the problem to respond with. If one alternative is empty,
   * requests without credentials are admitted; invalid credentials are rejected even then.
   */
  async admit(credentials: Credentials): Promise<Admission> {
    const results = new Map<Authenticator, AuthenticationResult>();
    let missingScopes: MissingScopes | undefined;
    let open = false;
    for (const requirements of this.alternatives) {
      if (requirements.length === 0) {
        open = true;
        continue;
      }
      const result = await this.check(requirements, credentials, results);
      if (result.kind === 'met') return { caller: result.caller };
      if (result.kind === 'lacking') missingScopes ??= result.missingScopes;
    }
    const all = [...results.values()];
    if (all.some(({ kind }) => kind === 'unavailable')) {
      return {
        problem: httpProblem('AUTH_UNAVAILABLE', 'The credentials cannot be checked now; try again later.'),
      };
    }
    if (missingScopes !== undefined) return { problem: this.forbidden(missingScopes) };
    if (open && all.every(({ kind }) => kind === 'missing')) return { caller: undefined };
    return { problem: this.unauthenticated(results) };
  }

  /** Checks the credentials against one alternative. */
  private async check(
    requirements: readonly SchemeRequirement[],
    credentials: Credentials,
    results: Map<Authenticator, AuthenticationResult>,
  ): Promise<AlternativeResult> {
    let caller: Caller | undefined;
    let missingScopes: MissingScopes | undefined;
    for (const requirement of requirements) {
      const { authenticator, location, scopes } = requirement;
      const result = results.get(authenticator) ?? (await authenticator.authenticate(credentials, location));
      results.set(authenticator, result);
      if (result.kind !== 'known') return UNMET;
      const { caller: found } = result;
      if (authenticator.checksScopes && !scopes.every((scope) => found?.scopes?.includes(scope) === true))
        missingScopes ??= requirement;
      caller = caller === undefined || found === undefined ? (caller ?? found) : merged(caller, found);
    }
    return missingScopes === undefined ? { kind: 'met', caller } : { kind: 'lacking', missingScopes };
  }

  private unauthenticated(results: ReadonlyMap<Authenticator, AuthenticationResult>): Problem {
    const challenges = new Set<string>();
    for (const { authenticator, location } of this.alternatives.flat()) {
      const result = results.get(authenticator);
      // Credentials of another scheme count as missing (RFC 6750, 3.1).
      const reason = result?.kind === 'invalid' && result.isOther !== true ? result.reason : undefined;
      challenges.add(authenticator.challenge(this.realm, location, reason));
    }
    const headers = [...challenges].flatMap((challenge) => ['WWW-Authenticate', challenge]);
    const reason = reasonOf([...results.values()]);
    return httpProblem('UNAUTHENTICATED', `${reason[0]?.toUpperCase() ?? ''}${reason.slice(1)}.`, headers);
  }

  private forbidden({ authenticator, scopes }: MissingScopes): Problem {
    const needed = scopes.join(' ').replace(/["\\\r\n]/g, '');
    const challenge = authenticator.scopeChallenge?.(this.realm, needed);
    const headers = challenge === undefined ? undefined : ['WWW-Authenticate', challenge];
    return httpProblem('FORBIDDEN', `This needs the scopes ${scopes.join(', ')}.`, headers);
  }
}

/** Returns why no alternative is met. Invalid credentials of a required scheme take precedence. */
function reasonOf(results: readonly AuthenticationResult[]): string {
  const reasons = results.flatMap((result) => {
    if (result.kind === 'invalid') return [{ rank: result.isOther === true ? 1 : 0, reason: result.reason }];
    return result.kind === 'missing' && result.reason !== undefined
      ? [{ rank: 2, reason: result.reason }]
      : [];
  });
  reasons.sort((one, other) => one.rank - other.rank);
  return reasons[0]?.reason ?? 'no credentials were sent';
}

/**
 * Combines the callers of two schemes in one requirement: identity of the first, scopes of both.
 */
function merged(first: Caller, second: Caller): Caller {
  return { ...first, scopes: [...new Set([...(first.scopes ?? []), ...(second.scopes ?? [])])] };
}
