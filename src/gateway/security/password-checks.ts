/**
 * Checks passwords against bcrypt hashes. A check takes tens of milliseconds, so it runs in the
 * thread pool of libuv, which has four threads by default. Files, DNS and compression use the same
 * pool. The process therefore runs at most two checks at a time, and both the number of waiting
 * checks and their waiting time are limited.
 */
import { createRequire } from 'node:module';
import type * as Bcrypt from '@node-rs/bcrypt';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';

/** Verifies a password. Resolves with undefined if the check could not start in time. */
export type CheckPassword = (password: string, hash: string) => Promise<boolean | undefined>;

interface Waiting {
  readonly start: () => void;
  readonly timer: NodeJS.Timeout;
}

/** Runs password checks with limits on how many run and wait. */
export class PasswordChecks {
  private running = 0;
  private readonly waiting = new Set<Waiting>();

  /**
   * @param verify checks a password outside the event loop.
   * @param limits `atOnce`: maximum number of running checks; `waiting`: maximum number of waiting
   *   checks; `longest`: maximum waiting time, in milliseconds.
   */
  constructor(
    private readonly verify: (password: string, hash: string) => Promise<boolean>,
    private readonly limits: { readonly atOnce: number; readonly waiting: number; readonly longest: number },
  ) {}

  readonly check: CheckPassword = async (password, hash) => {
    if (!(await this.turn())) return undefined;
    try {
      return await this.verify(password, hash);
    } finally {
      this.finish();
    }
  };

  /**
   * Resolves with true when a check may run, or with false if too many checks are waiting or this
   * one has waited too long.
   */
  private turn(): Promise<boolean> {
    const { atOnce, waiting, longest } = this.limits;
    if (this.running < atOnce) {
      this.running += 1;
      return Promise.resolve(true);
    }
    if (this.waiting.size >= waiting) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.waiting.delete(entry);
        resolve(false);
      }, longest);
      const entry: Waiting = { start: () => resolve(true), timer };
      this.waiting.add(entry);
    });
  }

  /** Starts the check that has waited longest, if there is one. */
  private finish(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.running -= 1;
      return;
    }
    this.waiting.delete(next);
    clearTimeout(next.timer);
    next.start();
  }
}

let shared: PasswordChecks | undefined;

/**
 * Returns the check function that the whole process shares. bcrypt is loaded here, so a gateway
 * without passwords does not load it.
 *
 * @throws {ZeroMQConfigError} when bcrypt cannot be loaded on this machine.
 */
export function passwordChecks(): CheckPassword {
  shared ??= new PasswordChecks(loadBcrypt().verify, { atOnce: 2, waiting: 64, longest: 1000 });
  return shared.check;
}

function loadBcrypt(): typeof Bcrypt {
  try {
    return createRequire(import.meta.url)('@node-rs/bcrypt') as typeof Bcrypt;
  } catch (cause) {
    const why = toError(cause).message.split('\n', 1)[0];
    throw new ZeroMQConfigError(
      `passwords cannot be checked: @node-rs/bcrypt cannot be loaded (${why}); install it with its optional dependencies`,
      { cause },
    );
  }
}
