/**
 * Users with hashed passwords from one version of their file, and the results of earlier checks. A
 * changed file creates a new table, so earlier results no longer apply.
 */
import { createHmac, randomBytes } from 'node:crypto';
import QuickLRU from 'quick-lru';
import type { AuthenticationResult } from './authenticator.ts';
import type { KnownUser } from './htpasswd.ts';
import type { CheckPassword } from './password-checks.ts';

/** Credentials of one request. */
export interface UserAndPassword {
  readonly user: string;
  readonly password: string;
}

/** Random key of this process. The digests of credentials are useless without it. */
const SECRET = randomBytes(32);

/** Limits of the caches: number of results, and their lifetime in milliseconds. */
const CACHE_LIMITS = { known: { maxSize: 10_000, ttl: 300_000 }, wrong: { maxSize: 1000, ttl: 10_000 } };

/**
 * The latest results. `quick-lru` expires items by the wall clock, which may be set back; this class
 * uses a monotonic one.
 */
class ResultCache {
  private readonly results: QuickLRU<
    string,
    { readonly result: AuthenticationResult; readonly until: number }
  >;
  private readonly ttl: number;

  constructor(
    { maxSize, ttl }: { readonly maxSize: number; readonly ttl: number },
    private readonly clock: { now(): number },
  ) {
    this.results = new QuickLRU({ maxSize });
    this.ttl = ttl;
  }

  get(key: string): AuthenticationResult | undefined {
    const found = this.results.get(key);
    if (found === undefined || this.clock.now() < found.until) return found?.result;
    this.results.delete(key);
    return undefined;
  }

  set(key: string, result: AuthenticationResult): void {
    this.results.set(key, { result, until: this.clock.now() + this.ttl });
  }
}

const UNAVAILABLE: AuthenticationResult = { kind: 'unavailable' };

/**
 * The same result for unknown users and wrong passwords, so that callers cannot find out which
 * users exist.
 */
const WRONG: AuthenticationResult = { kind: 'invalid', reason: 'the user name or the password is not valid' };

/** Finds the user for credentials and caches the results. */
export class PasswordTable {
  private readonly known: ResultCache;
  /** Limits a client that repeats the same wrong credentials to one check in ten seconds. */
  private readonly wrong: ResultCache;
  /** Running checks; requests with the same credentials share one. */
  private readonly checking = new Map<string, Promise<AuthenticationResult>>();
  private readonly allUsers: readonly KnownUser[];

  constructor(
    private readonly users: ReadonlyMap<string, KnownUser>,
    private readonly check: CheckPassword,
    clock: { now(): number } = performance,
  ) {
    this.known = new ResultCache(CACHE_LIMITS.known, clock);
    this.wrong = new ResultCache(CACHE_LIMITS.wrong, clock);
    this.allUsers = [...users.values()];
  }

  /** Returns the user whose credentials these are. */
  find({ user, password }: UserAndPassword): Promise<AuthenticationResult> | AuthenticationResult {
    const digest = createHmac('sha256', SECRET).update(`${user}\0${password}`).digest();
    const key = digest.toString('latin1');
    return (
      this.known.get(key) ?? this.wrong.get(key) ?? this.checking.get(key) ?? this.verify(key, user, password)
    );
  }

  private verify(key: string, user: string, password: string): Promise<AuthenticationResult> {
    const verified = this.verified(user, password).then((finding) => {
      if (finding.kind === 'known') this.known.set(key, finding);
      else if (finding === WRONG) this.wrong.set(key, finding);
      return finding;
    });
    const checked = verified.finally(() => this.checking.delete(key));
    this.checking.set(key, checked);
    return checked;
  }

  private async verified(user: string, password: string): Promise<AuthenticationResult> {
    const known = this.users.get(user);
    const compared = known ?? this.standIn(user);
    if (compared === undefined) return WRONG;
    const matches = await this.check(password, compared.hash);
    if (matches === undefined) return UNAVAILABLE;
    return matches && known !== undefined ? { kind: 'known', caller: known.caller } : WRONG;
  }

  /**
   * Returns the user whose hash is checked instead of that of an unknown user, so that both checks
   * take about the same time. The choice is always the same for one name, because hashes may differ
   * in cost.
   */
  private standIn(user: string): KnownUser | undefined {
    const digest = createHmac('sha256', SECRET).update(user).digest();
    return this.allUsers[digest.readUInt32BE() % this.allUsers.length];
  }
}
