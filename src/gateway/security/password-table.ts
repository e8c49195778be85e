/**
 * Users with hashed passwords, as one version of their file has them, and which credentials were
 * checked against it. A changed file makes a new table, so that nothing checked before it counts
 * after it.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AuthenticationResult } from './authenticator.ts';
import type { KnownUser } from './htpasswd.ts';
import type { CheckPassword } from './password-checks.ts';

/** Credentials of one request. */
export interface UserAndPassword {
  readonly user: string;
  readonly password: string;
}

/** Key of this process: what is kept of credentials says nothing about them elsewhere. */
const SECRET = randomBytes(32);

/** How many checked credentials are kept, and for how long (ms). */
const KEPT = { known: { max: 10_000, ttl: 300_000 }, wrong: { max: 1000, ttl: 10_000 } };

const UNAVAILABLE: AuthenticationResult = { kind: 'unavailable' };

/** The same for unknown users, so that it does not tell which users there are. */
const WRONG: AuthenticationResult = { kind: 'invalid', reason: 'the user name or the password is not valid' };

export class PasswordTable {
  private readonly known: LRUCache<string, AuthenticationResult>;
  /** A client that repeats wrong credentials costs one check in ten seconds. */
  private readonly wrong: LRUCache<string, AuthenticationResult>;
  /** Checks in progress: requests with the same credentials share one. */
  private readonly checking = new Map<string, Promise<AuthenticationResult>>();
  private readonly everyone: readonly KnownUser[];

  constructor(
    private readonly users: ReadonlyMap<string, KnownUser>,
    private readonly check: CheckPassword,
    perf: { now(): number } = performance,
  ) {
    this.known = new LRUCache({ ...KEPT.known, perf, ttlResolution: 0 });
    this.wrong = new LRUCache({ ...KEPT.wrong, perf, ttlResolution: 0 });
    this.everyone = [...users.values()];
  }

  /** Whose credentials these are. */
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
    const right = await this.check(password, compared.hash);
    if (right === undefined) return UNAVAILABLE;
    return right && known !== undefined ? { kind: 'known', caller: known.caller } : WRONG;
  }

  /**
   * The user whose hash is checked for an unknown one, so that both take the same time. It is
   * always the same for a name, since hashes may differ in their cost.
   */
  private standIn(user: string): KnownUser | undefined {
    const digest = createHmac('sha256', SECRET).update(user).digest();
    return this.everyone[digest.readUInt32BE() % this.everyone.length];
  }
}
