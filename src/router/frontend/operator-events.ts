/**
 * Events for operators of the router: what it is, how it goes, and two things to do. With CURVE keys and an allow list they are for
 * admins; without keys, for whoever reaches a frontend that only this machine reaches.
 *
 * | event           | data                    | reply |
 * |-----------------|-------------------------|-------|
 * | `$router.info`  | anything                | `RouterReport`: what it is, its workers and events |
 * | `$router.stats` | anything                | `{ router, age, totals }` and `RequestReport`: how requests went lately |
 * | `$router.drain` | `{ worker, drain? }`    | `{ worker, drain }`: the worker gets nothing more, or again |
 * | `$router.pause` | `{ event, pause? }`     | `{ event, pause }`: requests of the event wait, or go on |
 */

import { failure, NO_BYTES, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import type { RouterConsole } from '../../core/observability/reports.ts';

/** What an operator may ask, and whether he may act. */
export interface OperatorConsole {
  readonly console: RouterConsole;
  /** Whether clients without a key may act. */
  readonly open: boolean;
}

/** The reply to an operator's event; undefined when it is none. @param keyed the client has shown a key that allows it. */
export function operatorReply(
  { console, open }: OperatorConsole,
  message: RequestMessage,
  keyed: boolean,
): ReplyMessage | undefined {
  switch (message.eventName) {
    case '$router.info':
      return success(console.inspect());
    case '$router.stats': {
      const { router, age, totals } = console.inspect();
      return success({ router, age, totals, ...console.requestStats() });
    }
    case '$router.drain':
    case '$router.pause':
      return keyed || open ? act(console, message) : refusal();
    default:
      return undefined;
  }
}

function act(console: RouterConsole, { eventName, body }: RequestMessage): ReplyMessage {
  const data = fieldsOf(body);
  const drains = eventName === '$router.drain';
  const [field, verb] = drains ? ['worker', 'drain'] : ['event', 'pause'];
  const { [field]: name, [verb]: wanted = true } = data;
  if (typeof name !== 'string' || typeof wanted !== 'boolean') {
    return failure('INVALID_REQUEST', `data must be { "${field}": name, "${verb}": true or false }`);
  }
  const known = drains ? console.drainWorker(name, wanted) : console.pauseEvent(name, wanted);
  if (known) return success({ [field]: name, [verb]: wanted });
  return failure('INVALID_REQUEST', `the router has no ${field} ${JSON.stringify(name)}`);
}

function refusal(): ReplyMessage {
  const text = 'this frontend can be reached from elsewhere, and without keys nobody knows who asks';
  return failure('NOT_PERMITTED', text);
}

function fieldsOf(body: Buffer): Record<string, unknown> {
  try {
    const data: unknown = JSON.parse(body.toString());
    return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A successful reply of the router itself. */
export function success(data: object): ReplyMessage {
  const body = Buffer.from(JSON.stringify(data));
  return { status: 200, code: '', dispatched: true, more: false, contentType: '', extras: NO_BYTES, body };
}
