/** Obtains the body of a request: reads it, asks for it where the client waits, and decodes it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Bodies } from '../binding/body.ts';
import { decodeBody } from '../binding/coding.ts';
import { BodyError } from '../binding/json.ts';
import { bodyFromMiddleware } from '../binding/middleware-body.ts';
import type { Part } from '../binding/multipart-form.ts';
import type { BodyResult } from '../binding/reader.ts';
import { accepts } from '../common/media-type.ts';
import { httpProblem, invalidRequest, type Problem } from '../common/problem.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import type { Route } from '../routing/route.ts';

/** Whether a request has a body (RFC 9112, 6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/** The problem of a request that accepts none of the media types of the reply. */
export function acceptProblem({ headers }: IncomingMessage, { replies }: Route): Problem | undefined {
  if (headers.accept === undefined) return undefined;
  const { produces } = replies;
  if (produces.length === 0 || accepts(headers.accept, produces)) return undefined;
  return httpProblem('NOT_ACCEPTABLE', `The operation replies with ${produces.join(', ')}.`);
}

/**
 * Reads and decodes the body of a request.
 * @param done called once with the bytes or the problem; not called if the client disconnects.
 */
export function readRequestBody(
  gateway: GatewayContext,
  req: IncomingMessage,
  res: ServerResponse,
  done: BodyResult,
): void {
  if (req.readableEnded) {
    done(undefined, bodyFromMiddleware(req));
    return;
  }
  const { body: limit } = gateway.settings.limits;
  const declared = Number(req.headers['content-length'] ?? 0);
  if (gateway.expecting.has(req) && declared <= limit) {
    res.removeHeader('Connection');
    res.writeContinue();
  }
  gateway.bodies.read(req, (problem, bytes) => {
    if (problem !== undefined || bytes.length === 0) done(problem, bytes);
    else decodeBody(req.headers['content-encoding'] ?? '', bytes, limit, done);
  });
}

/**
 * Splits a multipart form into its parts. Resolves with the parts or the problem; never rejects. The
 * parser is loaded with the first form.
 */
export async function splitForm(bytes: Buffer, type: string): Promise<Part[] | Problem> {
  try {
    const { parseMultipart } = await import('../binding/multipart.ts');
    return await parseMultipart(bytes, type);
  } catch (error) {
    // The parser throws for what it cannot read, such as headers that are too long.
    const detail = error instanceof BodyError ? error.message : 'is not a valid multipart form';
    return invalidRequest([{ pointer: '/body', detail }]);
  }
}

/**
 * The problem of a body whose media type the operation does not accept.
 * @param types the media types that it accepts, if the gateway does not read the body.
 */
export function unsupportedMediaType(
  contentType: string | undefined,
  bodies: Bodies,
  types?: readonly string[],
): Problem {
  const accepted = (types ?? bodies.mediaTypes).join(', ');
  const given = contentType === undefined ? 'no media type' : `the media type ${contentType}`;
  const readable = types === undefined ? `${accepted}, in UTF-8` : accepted;
  const expected = accepted === '' ? 'no media type that the gateway can read' : readable;
  const detail = `The body has ${given}; this operation accepts ${expected}.`;
  return httpProblem('UNSUPPORTED_MEDIA_TYPE', detail, ['Accept', accepted]);
}

/** The problem of a body that the operation does not have. */
export function unexpectedBody(): Problem {
  const detail = 'is not accepted by this operation; send the request without a body';
  return invalidRequest([{ pointer: '/body', detail }]);
}
