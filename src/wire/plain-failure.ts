/**
 * Failures without metadata: event data of the form `{"error": {"code", "message"}}` with an
 * outcome code. Older workers of this framework and Python handlers answer with it. Such a reply is
 * not a success.
 */
import { NO_BYTES, type ReplyMessage } from '../core/messages/message.ts';
import { isOutcomeCode, outcomeOf } from '../core/messages/outcome.ts';

/** Maximum size of event data that is checked, in bytes. */
const MAX_FAILURE_BYTES = 65_536;

/** Start of every such text. */
const FAILURE_START = /^\s*\{\s*"error"\s*:\s*\{/;

/** Maximum bytes before the inner brace that are checked. */
const FAILURE_START_BYTES = 64;

/** The failure in the event data of a reply without metadata; undefined for other data. */
export function readPlainFailure(body: Buffer): ReplyMessage | undefined {
  if (body.length > MAX_FAILURE_BYTES || !FAILURE_START.test(body.toString('latin1', 0, FAILURE_START_BYTES)))
    return undefined;
  const error = soleError(body);
  if (error === undefined) return undefined;
  const { code, message, dispatched } = error;
  if (typeof code !== 'string' || typeof message !== 'string' || !isOutcomeCode(code)) return undefined;
  const definition = outcomeOf(code);
  return {
    status: definition.status,
    code,
    dispatched: typeof dispatched === 'boolean' ? dispatched : (definition.dispatched ?? true),
    more: false,
    contentType: '',
    extras: NO_BYTES,
    body,
  };
}

/** The member `error` of an object without other members. */
function soleError(body: Buffer): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    return undefined;
  }
  const { error, ...others } = value as { readonly error?: unknown };
  return typeof error === 'object' && error !== null && Object.keys(others).length === 0
    ? (error as Record<string, unknown>)
    : undefined;
}
