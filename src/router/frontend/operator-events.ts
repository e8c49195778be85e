/**
 * Built-in events for operators. With CURVE keys and an allow list they require an admin key.
 * Without keys, the two that change something work only on a frontend that is reachable from this
 * machine alone.
 *
 * | event           | data                    | reply |
 * |-----------------|-------------------------|-------|
 * | `$router.info`  | anything                | `RouterReport`: state, workers and events |
 * | `$router.stats` | anything                | `{ router, age, totals }` and `RequestReport`: recent request statistics |
 * | `$router.drain` | `{ worker, drain? }`    | `{ worker, drain }`: stops or resumes dispatching to the worker |
 * | `$router.pause` | `{ event, pause? }`     | `{ event, pause }`: pauses or resumes the event |
 * | `$router.weight` | `{ contract, version, weight? }` | the same: sets the weight of a version |
 */

import type { Logger } from '../../core/logging/logging.ts';
import { failure, NO_BYTES, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import type { RouterConsole } from '../../core/observability/reports.ts';
import { isWeight } from '../../wire/control.ts';

/** The router as operator events see it. */
export interface OperatorConsole {
  readonly console: RouterConsole;
  /** Whether clients without a key may drain workers and pause events. */
  readonly open: boolean;
  /** Logs each change and who made it. */
  readonly logger?: Logger;
}

/** The client of an operator event. */
export interface Operator {
  /** Identity of the client. */
  readonly client: string;
  /** Name of its key in the allow list; undefined if it has none. */
  readonly key: string | undefined;
  /** Whether it has a key that allows the event. */
  readonly keyed: boolean;
}

/** Returns the reply to an operator event, or undefined for other events. */
export function operatorReply(
  { console, open, logger }: OperatorConsole,
  message: RequestMessage,
  operator: Operator,
): ReplyMessage | undefined {
  const permitted = operator.keyed || open;
  switch (message.eventName) {
    case '$router.info':
      return success(console.inspect());
    case '$router.stats': {
      const { router, age, totals } = console.inspect();
      return success({ router, age, totals, ...console.requestStats() });
    }
    case '$router.drain':
    case '$router.pause':
      return permitted ? audited(act(console, message), message, operator, logger) : refusal();
    case '$router.weight':
      return permitted ? audited(setWeight(console, message), message, operator, logger) : refusal();
    default:
      return undefined;
  }
}

/** Logs a change that an operator made. */
function audited(
  reply: ReplyMessage,
  { eventName }: RequestMessage,
  { client, key }: Operator,
  logger: Logger | undefined,
): ReplyMessage {
  if (reply.code !== '') return reply;
  const change = JSON.parse(reply.body.toString()) as Record<string, unknown>;
  const { drain, pause } = change;
  const verb = drain === false || pause === false ? 'resume' : eventName.replace('$router.', '');
  logger?.info({ ...change, client, key }, `an operator requested: ${verb}`);
  return reply;
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

function setWeight(console: RouterConsole, { body }: RequestMessage): ReplyMessage {
  const { contract, version, weight = null } = fieldsOf(body);
  const isValid = weight === null || isWeight(weight);
  if (typeof contract !== 'string' || typeof version !== 'string' || !isValid) {
    const text = 'data must be { "contract": name, "version": version, "weight": 0 to 100 or null }';
    return failure('INVALID_REQUEST', text);
  }
  if (console.setVersionWeight(contract, version, weight)) return success({ contract, version, weight });
  const named = `${JSON.stringify(contract)} in version ${JSON.stringify(version)}`;
  return failure('INVALID_REQUEST', `no worker of the router serves the contract ${named}`);
}

function refusal(): ReplyMessage {
  const text =
    'operator events need client keys: the frontend accepts connections from other hosts; configure CURVE, or bind the frontend to the loopback interface';
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

/** Builds a successful reply of the router itself. */
export function success(data: object): ReplyMessage {
  const body = Buffer.from(JSON.stringify(data));
  return { status: 200, code: '', dispatched: true, more: false, contentType: '', extras: NO_BYTES, body };
}
