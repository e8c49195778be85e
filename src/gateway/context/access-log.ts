/**
 * context: what all requests of one gateway share. Its settings and services
 * (`gateway-context.ts`), open streams, and the access log.
 *
 * Publishes answered HTTP requests on a diagnostics channel, and writes the access log.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { diagnostics, type HttpAnswered } from '../../core/observability/diagnostics.ts';
import { traceIdOf } from '../../core/observability/tracing.ts';
import { pathnameOf } from '../common/request-target.ts';
import type { GatewayContext } from './gateway-context.ts';

/** What a stream has moved. */
export interface StreamTraffic {
  /** Body bytes written for the client. */
  sent: number;
  /** Body bytes that arrived from the client. */
  received: number;
}

/** How a request was answered. */
export interface AnswerRecord {
  readonly requestId: string;
  /** Declared path; empty for unknown paths. */
  readonly route: string;
  readonly status: number;
  /** Empty on success. */
  readonly code: string;
  /** Detail of the problem; undefined on success. */
  readonly detail?: string;
  /** Empty if the request is not for an operation. */
  readonly eventName: string;
  /** Whether the request may have reached a worker. */
  readonly dispatched: boolean;
  readonly caller: string;
  /** In milliseconds. */
  readonly duration: number;
  /** Id of the trace if the process traces; otherwise that of the caller, if any, is logged. */
  readonly traceId?: string | undefined;
  /** Undefined unless the request or the reply may be a stream. */
  readonly stream?: StreamTraffic | undefined;
}

/** The fields of requests that are not for an operation. */
export const NO_OPERATION = { route: '', eventName: '', dispatched: false, caller: '', duration: 0 };

/** Maximum length of a published path, in characters. */
const MAX_PATH = 1024;

/** Whether a subscriber or the access log needs answered requests. */
export function hasObservers(gateway: GatewayContext): boolean {
  const { httpAnswered, requestSettled } = diagnostics;
  return httpAnswered.hasSubscribers || requestSettled.hasSubscribers || gateway.settings.accessLog;
}

/** An answered request. Path and client are computed only when a subscriber reads them. */
class AnsweredEvent implements HttpAnswered {
  readonly kind = 'gateway';
  readonly node: string;
  readonly method: string;

  constructor(
    gateway: GatewayContext,
    private readonly req: IncomingMessage | undefined,
    private readonly answer: AnswerRecord,
  ) {
    this.node = gateway.name;
    this.method = req?.method ?? '';
  }

  get route(): string {
    return this.answer.route;
  }

  get path(): string {
    return pathOf(this.req);
  }

  get status(): number {
    return this.answer.status;
  }

  get code(): string {
    return this.answer.code;
  }

  get detail(): string {
    return this.answer.detail ?? '';
  }

  get eventName(): string {
    return this.answer.eventName;
  }

  get requestId(): string {
    return this.answer.requestId;
  }

  get duration(): number {
    return this.answer.duration;
  }

  get client(): string {
    return clientOf(this.req);
  }

  get caller(): string {
    return this.answer.caller;
  }

  get traceId(): string {
    return this.answer.traceId ?? traceIdOf(this.req?.headers['traceparent']) ?? '';
  }

  get stream(): StreamTraffic | undefined {
    return this.answer.stream;
  }
}

/** Publishes an answered request if it has observers. */
export function publishAnswer(
  gateway: GatewayContext,
  req: IncomingMessage | undefined,
  answer: AnswerRecord,
): void {
  const { httpAnswered, requestSettled } = diagnostics;
  const { eventName, requestId, status, code, detail, dispatched, duration } = answer;
  if (eventName !== '' && requestSettled.hasSubscribers) {
    const { name: node } = gateway;
    const kind = 'gateway';
    requestSettled.publish({ kind, node, eventName, requestId, status, code, detail, dispatched, duration });
  }
  const event = new AnsweredEvent(gateway, req, answer);
  if (httpAnswered.hasSubscribers) httpAnswered.publish(event);
  if (gateway.settings.accessLog) logAnswer(gateway, event);
}

/** Writes the line of the access log. Empty fields are left out. */
function logAnswer({ logger }: GatewayContext, answered: AnsweredEvent): void {
  const { requestId, method, path, route, status, client, stream } = answered;
  const { code, eventName: event, caller, traceId } = answered;
  const duration = Math.round(answered.duration * 100) / 100;
  const optional = Object.entries({ event, code, caller, traceId }).filter(([, value]) => value !== '');
  const fields = { requestId, method, path, route, status, duration, client };
  const moved = stream === undefined ? {} : { bytes: stream.sent, received: stream.received };
  logger.info({ ...fields, ...Object.fromEntries(optional), ...moved }, 'request');
}

/** Publishes a request that is not for an operation once its response has ended. */
export function publishOnClose(
  gateway: GatewayContext,
  req: IncomingMessage,
  res: ServerResponse,
  fields: Pick<AnswerRecord, 'requestId' | 'route' | 'code' | 'detail'>,
): void {
  if (!hasObservers(gateway)) return;
  const started = performance.now();
  res.once('close', () => {
    const status = res.writableFinished ? res.statusCode : 499;
    const duration = performance.now() - started;
    publishAnswer(gateway, req, { ...NO_OPERATION, ...fields, status, duration });
  });
}

/** The address of the client, behind trusted proxies. */
export function clientOf(req: IncomingMessage | undefined): string {
  const { ip } = (req ?? {}) as { ip?: unknown };
  return typeof ip === 'string' ? ip : (req?.socket.remoteAddress ?? '');
}

/** The path without its query, which may contain secrets. */
function pathOf(req: IncomingMessage | undefined): string {
  const { originalUrl, url = '' } = (req ?? {}) as { originalUrl?: string; url?: string };
  return pathnameOf(originalUrl ?? url).slice(0, MAX_PATH);
}
