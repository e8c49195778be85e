/**
 * Checks of passwords against bcrypt hashes. They take tens of milliseconds each, so they run in
 * the thread pool of libuv, which has four threads by default. Files, DNS and compression need it
 * too: this process uses two threads of it for passwords, and a bounded number of checks waits for
 * a bounded time.
 */
import { createRequire } from 'node:module';
import type * as Bcrypt from '@node-rs/bcrypt';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';

/** Verifies a password; undefined: the check could not start in time. */
export type CheckPassword = (password: string, hash: string) => Promise<boolean | undefined>;

interface Waiting {
  readonly start: () => void;
  readonly timer: NodeJS.Timeout;
}

export class PasswordChecks {
  private running = 0;
  private readonly waiting = new Set<Waiting>();

  /**
   * @param verify checks a password elsewhere than on the event loop.
   * @param limits `atOnce`: checks that run at a time; `waiting`: checks that wait; `longest`: how
   *   long, in ms.
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

  /** Resolves when a check may run, or with false: too many wait, or it waited too long. */
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

  /** Hands the thread to the check that waits longest. */
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
 * The checks of this process. bcrypt is loaded here, so that a gateway without passwords does not
 * load it.
 *
 * @throws ZeroMQConfigError when bcrypt cannot be loaded on this machine.
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
