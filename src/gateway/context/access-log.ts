/** Tells of HTTP requests that were answered: on a diagnostics channel, and in the access log where it is asked for. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { diagnostics, type HttpAnswered } from '../../core/observability/diagnostics.ts';
import type { GatewayContext } from './gateway-context.ts';

/** What is told of a request besides what it says itself. */
export interface AnswerRecord {
  readonly requestId: string;
  /** Path as it is declared; empty where there is nothing at the path. */
  readonly route: string;
  readonly status: number;
  /** Empty on success. */
  readonly code: string;
  /** Empty where no operation is concerned. */
  readonly eventName: string;
  /** Whether a worker was given the request. */
  readonly dispatched: boolean;
  readonly caller: string;
  /** Milliseconds. */
  readonly duration: number;
}

/** What is told where no operation is concerned. */
export const NO_OPERATION = { route: '', eventName: '', dispatched: false, caller: '', duration: 0 };

/** Longest path that is told. */
const MAX_PATH = 1024;

/** Whether somebody wants to know of answers. */
export function hasObservers(gateway: GatewayContext): boolean {
  const { httpAnswered, requestSettled } = diagnostics;
  return httpAnswered.hasSubscribers || requestSettled.hasSubscribers || gateway.settings.accessLog;
}

/** An answer and its request. Path and client cost their time: they are looked for when somebody asks. */
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
}

/** Tells of an answer, if somebody wants to know. */
export function publishAnswer(
  gateway: GatewayContext,
  req: IncomingMessage | undefined,
  answer: AnswerRecord,
): void {
  const { httpAnswered, requestSettled } = diagnostics;
  const { eventName, requestId, status, code, dispatched, duration } = answer;
  if (eventName !== '' && requestSettled.hasSubscribers) {
    const { name: node } = gateway;
    const kind = 'gateway';
    requestSettled.publish({ kind, node, eventName, requestId, status, code, dispatched, duration });
  }
  const told = new AnsweredEvent(gateway, req, answer);
  if (httpAnswered.hasSubscribers) httpAnswered.publish(told);
  if (gateway.settings.accessLog) logAnswer(gateway, told);
}

/** The line of the access log; what is empty is left out. */
function logAnswer({ logger }: GatewayContext, told: AnsweredEvent): void {
  const { requestId, method, path, route, status, code, eventName: event, client, caller } = told;
  const duration = Math.round(told.duration * 100) / 100;
  const optional = Object.entries({ event, code, caller }).filter(([, value]) => value !== '');
  const fields = { requestId, method, path, route, status, duration, client };
  logger.info({ ...fields, ...Object.fromEntries(optional) }, 'request');
}

/** Tells of an answer that is no operation's, once it is over. */
export function publishOnClose(
  gateway: GatewayContext,
  req: IncomingMessage,
  res: ServerResponse,
  about: Pick<AnswerRecord, 'requestId' | 'route' | 'code'>,
): void {
  if (!hasObservers(gateway)) return;
  const started = performance.now();
  res.once('close', () => {
    const status = res.writableFinished ? res.statusCode : 499;
    const duration = performance.now() - started;
    publishAnswer(gateway, req, { ...NO_OPERATION, ...about, status, duration });
  });
}

/** Address of the client, behind proxies that are trusted. */
export function clientOf(req: IncomingMessage | undefined): string {
  const { ip } = (req ?? {}) as { ip?: unknown };
  return typeof ip === 'string' ? ip : (req?.socket.remoteAddress ?? '');
}

/** The path without its query, which may hold secrets. */
function pathOf(req: IncomingMessage | undefined): string {
  const { originalUrl, url = '' } = (req ?? {}) as { originalUrl?: string; url?: string };
  const path = (originalUrl ?? url).replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  return path.slice(0, MAX_PATH);
}
