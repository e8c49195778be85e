/** Checks of the streams of an event: its upload, and its streamed replies. */
import type { EventDefinition } from './definition.ts';
import { ContractError } from './errors.ts';
import { shown } from './member-checks.ts';
import { isUpload } from './uploads.ts';

/** Methods whose requests have a body. */
const WITH_BODY = ['POST', 'PUT', 'PATCH'];

/** Statuses without a body (RFC 9110, 15.3.5, 15.3.6 and 15.4.5). */
const BODILESS = new Set(['204', '205', '304']);

const STREAMS = ['events', 'lines', 'bytes'];

/** Returns what is wrong with the `body` of an event; undefined if it is valid. */
export function bodyProblem(body: unknown): string | undefined {
  return isUpload(body)
    ? undefined
    : `must be the result of upload(), got ${shown(body)}; the fields of a body that is not a stream belong to data`;
}

/**
 * Checks how the upload of an event fits its other members.
 *
 * @throws {ContractError} when the event cannot have an upload.
 */
export function checkUpload({ body, method, bodyTypes, in: placements }: EventDefinition): void {
  if (body === undefined) return;
  if (method !== undefined && !WITH_BODY.includes(method)) {
    throw new ContractError(
      `body: a ${method} request has no content (RFC 9110, 9.3); an upload needs POST, PUT or PATCH`,
    );
  }
  if (bodyTypes !== undefined) {
    throw new ContractError('bodyTypes applies to bodies without upload(); use contentType of upload()');
  }
  const whole = Object.entries(placements ?? {}).find(([, place]) => place === 'body');
  if (whole !== undefined) {
    throw new ContractError(
      `in: ${whole[0]} cannot take the whole body, which the handler reads from the context`,
    );
  }
}

/**
 * Checks a streamed reply.
 *
 * @throws {ContractError} when a reply with this status cannot be a stream.
 */
export function checkStreamedReply(status: string, reply: { readonly stream: unknown }): void {
  if (!STREAMS.includes(reply.stream as string)) {
    throw new ContractError(
      `the reply ${status} has the stream ${shown(reply.stream)}; use sse(), ndjson() or bytes()`,
    );
  }
  if (!BODILESS.has(status)) return;
  throw new ContractError(`the reply ${status} cannot be a stream: a response with this status has no body`);
}
