/** Checks and logs the items of a streamed reply, as `replies.check` says. */
import { outcomeProblem, type Problem, type RequestIssue } from '../common/problem.ts';
import type { ResponseContext } from '../response/reply.ts';
import type { StreamHead } from '../response/stream-head.ts';
import { ItemCheck } from './item-check.ts';

/** Maximum number of log lines for one stream. */
const MAX_LOGGED = 10;

/** The check of one stream. */
export class ReplyCheck {
  private logged = 0;

  private constructor(
    private readonly context: ResponseContext,
    private readonly items: ItemCheck,
  ) {}

  /** Creates the check of a stream; undefined if its items are not checked. */
  static for(context: ResponseContext, { status, contentType, format }: StreamHead): ReplyCheck | undefined {
    const { check, sample } = context.gateway.settings.replies;
    if (format === 'bytes' || check === 'off' || (sample < 1 && Math.random() >= sample)) return undefined;
    const rule = context.route.replies.itemRule(status, contentType);
    return rule === undefined ? undefined : new ReplyCheck(context, new ItemCheck(format, rule));
  }

  /** Checks a chunk. Returns the problem if the stream must be broken off. */
  push(chunk: Buffer): Problem | undefined {
    return this.logged >= MAX_LOGGED ? undefined : this.report(this.items.push(chunk));
  }

  /** Checks the last chunk. */
  end(chunk: Buffer): Problem | undefined {
    return this.logged >= MAX_LOGGED ? undefined : this.report(this.items.end(chunk));
  }

  private report(issues: readonly RequestIssue[]): Problem | undefined {
    if (issues.length === 0) return undefined;
    const { gateway, requestId, route } = this.context;
    const fields = { requestId, event: route.operation.eventName, errors: issues };
    gateway.logger.error(fields, 'items of a stream violate the contract');
    this.logged += 1;
    if (gateway.settings.replies.check === 'report') return undefined;
    return outcomeProblem('BAD_REPLY', 'An item of the stream from the worker does not match the document.');
  }
}
