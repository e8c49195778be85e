/**
 * frontend: the clients' side of the router. This file answers the built-in events for native
 * clients; those for operators are in `operator-events.ts`.
 *
 * | event              | data                  | reply |
 * |--------------------|-----------------------|-------|
 * | `$router.ping`     | anything              | `{ "router": identity, "zone": its zone, if it has one }` |
 * | `$router.contracts`| `{ "since": number }` | `{ "revision", "contracts": [{ name, fragment, events, available }] }`, once the revision differs from `since` |
 */

import { failure, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import { PING } from '../../wire/control.ts';
import type { AnnouncedContracts } from '../backend/contracts.ts';
import { type Operator, type OperatorConsole, operatorReply, success } from './operator-events.ts';

/** Prefix of all built-in events. */
export const BUILTIN_PREFIX = '$router.';

/** Maximum time that a request for contracts is held, in ms; the reply then reports no change. */
const LONGEST_POLL = 20_000;

/** Time reserved for sending a deferred reply, in ms. */
const REPLY_MARGIN = 500;

/** Maximum number of deferred replies. */
const MAX_POLLS = 1000;

/** A client without a key. */
const UNKNOWN: Operator = { client: '', key: undefined, keyed: false };

/** A reply deferred until there is a change to report. */
export interface DeferredReply {
  /** Cancels it because its caller no longer waits. */
  cancel(): void;
}

/** Receives the reply, and the deferred reply itself if it was deferred. */
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
    private readonly zone: string | undefined = undefined,
  ) {
    contracts.on('change', () => this.answerPolls());
  }

  /**
   * Answers a request.
   *
   * @param client the client, as operator events see it.
   * @returns the deferred reply, if it is deferred.
   */
  handle(
    message: RequestMessage,
    settle: BuiltinSettle,
    client: Operator = UNKNOWN,
  ): DeferredReply | undefined {
    switch (message.eventName) {
      case PING:
        settle(success({ router: this.routerIdentity(), zone: this.zone }), undefined);
        return undefined;
      case '$router.contracts':
        return this.poll(message, settle);
      default: {
        const reply = this.operator && operatorReply(this.operator, message, client);
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

  /** Sends all deferred replies, and defers none from now on. */
  close(): void {
    this.closed = true;
    this.answerPolls();
  }

  private answerPolls(): void {
    for (const poll of this.polls) this.answer(poll);
  }

  private poll(message: RequestMessage, settle: BuiltinSettle): DeferredReply | undefined {
    const since = sinceOf(message);
    const waitTime = Math.min(LONGEST_POLL, (message.timeLeft || LONGEST_POLL) - REPLY_MARGIN);
    if (since !== this.contracts.revision || waitTime <= 0 || this.closed) {
      settle(this.listing(), undefined);
      return undefined;
    }
    if (this.polls.size >= MAX_POLLS) {
      settle(failure('BUSY', `${MAX_POLLS} requests already wait for a change of the contracts`), undefined);
      return undefined;
    }
    const poll: Poll = {
      settle,
      cancelTimer: this.clock.after(waitTime, () => this.answer(poll)),
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

  /** Built once per revision, because many clients may wait for it. */
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
