/**
 * Events that the router answers itself, for clients of ours; those for operators are in `operator-events.ts`:
 *
 * | event              | data                  | reply |
 * |--------------------|-----------------------|-------|
 * | `$router.ping`     | anything              | `{ "router": identity }` |
 * | `$router.contracts`| `{ "since": number }` | `{ "revision", "contracts": [{ name, fragment, events, available }] }`, once the revision is another than `since` |
 */

import { failure, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import { PING } from '../../wire/control.ts';
import type { AnnouncedContracts } from '../backend/contracts.ts';
import { type OperatorConsole, operatorReply, success } from './operator-events.ts';

/** What all such events start with. */
export const BUILTIN_PREFIX = '$router.';

/** Longest that a request for contracts is held back, in ms; the answer then says that nothing changed. */
const LONGEST_POLL = 20_000;

/** Milliseconds kept for the way back of a held answer. */
const REPLY_MARGIN = 500;

/** Most requests that are held back at a time. */
const MAX_POLLS = 1000;

/** An answer that is held back until there is something to say. */
export interface DeferredReply {
  /** Nobody waits for it any more. */
  cancel(): void;
}

/** Called once with the answer, and with itself where it was held back. */
export type BuiltinSettle = (reply: ReplyMessage, held: DeferredReply | undefined) => void;

export class BuiltinEvents {
  private readonly polls = new Set<Poll>();
  private closed = false;
  private cachedListing: { readonly revision: number; readonly reply: ReplyMessage } | undefined;

  constructor(
    private readonly routerIdentity: () => string,
    private readonly contracts: AnnouncedContracts,
    private readonly operator: OperatorConsole | undefined = undefined,
    private readonly clock: Clock = systemClock,
  ) {
    contracts.on('change', () => this.answerPolls());
  }

  /**
   * Answers a request.
   *
   * @param keyed whoever asks has shown a key that allows it.
   * @returns the answer when it is held back.
   */
  handle(message: RequestMessage, settle: BuiltinSettle, keyed = false): DeferredReply | undefined {
    switch (message.eventName) {
      case PING:
        settle(success({ router: this.routerIdentity() }), undefined);
        return undefined;
      case '$router.contracts':
        return this.poll(message, settle);
      default: {
        const reply = this.operator && operatorReply(this.operator, message, keyed);
        if (reply !== undefined) {
          settle(reply, undefined);
          return undefined;
        }
        const text = `the router has no event ${JSON.stringify(message.eventName)}`;
        settle(failure('NO_WORKER', text), undefined);
        return undefined;
      }
    }
  }

  /** Answers what is held back; nothing is from now on. */
  close(): void {
    this.closed = true;
    this.answerPolls();
  }

  private answerPolls(): void {
    for (const poll of this.polls) this.answer(poll);
  }

  private poll(message: RequestMessage, settle: BuiltinSettle): DeferredReply | undefined {
    const since = sinceOf(message);
    const patience = Math.min(LONGEST_POLL, (message.timeLeft || LONGEST_POLL) - REPLY_MARGIN);
    if (since !== this.contracts.revision || patience <= 0 || this.closed) {
      settle(this.listing(), undefined);
      return undefined;
    }
    if (this.polls.size >= MAX_POLLS) {
      settle(failure('BUSY', `${MAX_POLLS} requests wait for a change of the contracts`), undefined);
      return undefined;
    }
    const poll: Poll = {
      settle,
      cancelTimer: this.clock.after(patience, () => this.answer(poll)),
      cancel: () => this.remove(poll),
    };
    this.polls.add(poll);
    return poll;
  }

  private answer(poll: Poll): void {
    if (this.remove(poll)) poll.settle(this.listing(), poll);
  }

  private remove(poll: Poll): boolean {
    poll.cancelTimer();
    return this.polls.delete(poll);
  }

  /** Made once for each revision: many may wait for it. */
  private listing(): ReplyMessage {
    const { revision } = this.contracts;
    if (this.cachedListing?.revision !== revision) {
      this.cachedListing = { revision, reply: success({ revision, contracts: this.contracts.list() }) };
    }
    return this.cachedListing.reply;
  }
}

interface Poll extends DeferredReply {
  readonly settle: BuiltinSettle;
  readonly cancelTimer: Cancel;
}

function sinceOf(message: RequestMessage): unknown {
  try {
    const data: unknown = JSON.parse(message.body.toString());
    return typeof data === 'object' && data !== null && 'since' in data ? data.since : undefined;
  } catch {
    return undefined;
  }
}
