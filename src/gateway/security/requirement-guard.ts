/** Enforces the security requirements of one operation. */
import type { Caller } from '../../core/messages/message.ts';
import { httpProblem, type Problem } from '../common/problem.ts';
import type { AuthenticationResult, Authenticator, CredentialPlace } from './authenticator.ts';
import type { Admission, Credentials, Guard } from './guard.ts';

/** One scheme of one requirement. */
export interface Demand {
  readonly authenticator: Authenticator;
  readonly place: CredentialPlace;
  readonly scopes: readonly string[];
}

/** A demand that a caller meets except for its scopes. */
type Lacking = Pick<Demand, 'authenticator' | 'scopes'>;

/** Result of checking a request against one alternative. */
type Verdict =
  | { readonly kind: 'met'; readonly caller: Caller | undefined }
  | { readonly kind: 'lacking'; readonly lacking: Lacking }
  | { readonly kind: 'unmet' };

const UNMET: Verdict = { kind: 'unmet' };

/**
 * Enforces the requirements of one operation: the caller must meet every scheme of at least one
 * alternative.
 */
export class RequirementGuard implements Guard {
  readonly queryNames: ReadonlySet<string>;

  constructor(
    private readonly alternatives: readonly (readonly Demand[])[],
    private readonly realm: string,
  ) {
    const places = alternatives.flat().map(({ place }) => place);
    this.queryNames = new Set(places.filter((place) => place.in === 'query').map(({ name }) => name));
  }

  /**
   * Admits the caller, or returns the problem to respond with. If one alternative is empty,
   * requests without credentials are admitted; invalid credentials are rejected even then.
   */
  async admit(credentials: Credentials): Promise<Admission> {
    const findings = new Map<Authenticator, AuthenticationResult>();
    let lacking: Lacking | undefined;
    let open = false;
    for (const demands of this.alternatives) {
      if (demands.length === 0) {
        open = true;
        continue;
      }
      const verdict = await this.meet(demands, credentials, findings);
      if (verdict.kind === 'met') return { caller: verdict.caller };
      if (verdict.kind === 'lacking') lacking ??= verdict.lacking;
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

  /** Checks the credentials against one alternative. */
  private async meet(
    demands: readonly Demand[],
    credentials: Credentials,
    findings: Map<Authenticator, AuthenticationResult>,
  ): Promise<Verdict> {
    let caller: Caller | undefined;
    let lacking: Lacking | undefined;
    for (const demand of demands) {
      const { authenticator, place, scopes } = demand;
      const finding = findings.get(authenticator) ?? (await authenticator.authenticate(credentials, place));
      findings.set(authenticator, finding);
      if (finding.kind !== 'known') return UNMET;
      const { caller: found } = finding;
      if (authenticator.checksScopes && !scopes.every((scope) => found?.scopes?.includes(scope) === true))
        lacking ??= demand;
      caller = caller === undefined || found === undefined ? (caller ?? found) : merged(caller, found);
    }
    return lacking === undefined ? { kind: 'met', caller } : { kind: 'lacking', lacking };
  }

  private unauthenticated(findings: ReadonlyMap<Authenticator, AuthenticationResult>): Problem {
    const challenges = new Set<string>();
    for (const { authenticator, place } of this.alternatives.flat()) {
      const finding = findings.get(authenticator);
      // Credentials of another scheme count as missing (RFC 6750, 3.1).
      const reason = finding?.kind === 'invalid' && finding.isOther !== true ? finding.reason : undefined;
      challenges.add(authenticator.challenge(this.realm, place, reason));
    }
    const headers = [...challenges].flatMap((challenge) => ['WWW-Authenticate', challenge]);
    const why = reasonOf([...findings.values()]);
    return httpProblem('UNAUTHENTICATED', `${why[0]?.toUpperCase() ?? ''}${why.slice(1)}.`, headers);
  }

  private forbidden({ authenticator, scopes }: Lacking): Problem {
    const needed = scopes.join(' ').replace(/["\\\r\n]/g, '');
    const challenge = authenticator.scopeChallenge?.(this.realm, needed);
    const headers = challenge === undefined ? undefined : ['WWW-Authenticate', challenge];
    return httpProblem('FORBIDDEN', `This needs the scopes ${scopes.join(', ')}.`, headers);
  }
}

/** Returns why no alternative is met. Invalid credentials of a required scheme take precedence. */
function reasonOf(findings: readonly AuthenticationResult[]): string {
  const reasons = findings.flatMap((finding) => {
    if (finding.kind === 'invalid')
      return [{ rank: finding.isOther === true ? 1 : 0, reason: finding.reason }];
    return finding.kind === 'missing' && finding.reason !== undefined
      ? [{ rank: 2, reason: finding.reason }]
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
