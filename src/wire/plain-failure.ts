/**
 * Failures without metadata: event data that is a failure as classic callers see it, `{"error": {"code", "message"}}`
 * with a code of the error catalogue. Older workers of this project and Python handlers reply so; such a reply is not a
 * success.
 */
import { NO_BYTES, type ReplyMessage } from '../core/messages/message.ts';
import { isOutcomeCode, outcomeOf } from '../core/messages/outcome.ts';

/** Larger event data is not looked at, in bytes. */
const MAX_FAILURE = 65_536;

/** How every such text begins. */
const BEGINNING = /^\s*\{\s*"error"\s*:\s*\{/;

/** Longest text before the inner brace that is looked at. */
const BEGINNING_BYTES = 64;

/** The failure in the event data of a reply without metadata; undefined when the data is something else. */
export function readPlainFailure(body: Buffer): ReplyMessage | undefined {
  if (body.length > MAX_FAILURE || !BEGINNING.test(body.toString('latin1', 0, BEGINNING_BYTES)))
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

/** The member `error` of an object that has no other one. */
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
