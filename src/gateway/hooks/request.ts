/** The request that all hooks of an exchange share. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../../core/messages/message.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import type { HookOperation, HookRequest, HookState } from '../common/hook-types.ts';
import { pathnameOf } from '../common/request-target.ts';
import { clientOf } from '../context/access-log.ts';

/** What a request of hooks is made from. */
export interface RequestParts {
  readonly requestId: string;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly operation: HookOperation | undefined;
  readonly log: GatewayLogger;
}

export class RequestOfHooks implements HookRequest {
  readonly requestId: string;
  readonly method: string;
  readonly operation: HookOperation | undefined;
  readonly log: GatewayLogger;
  readonly state: HookState = {};
  caller: Caller | undefined = undefined;
  private readonly req: IncomingMessage;
  private readonly res: ServerResponse;
  private controller: AbortController | undefined;
  private parsed: URLSearchParams | undefined;

  constructor({ requestId, req, res, operation, log }: RequestParts) {
    this.requestId = requestId;
    this.method = req.method ?? '';
    this.operation = operation;
    this.log = log;
    this.req = req;
    this.res = res;
  }

  get headers(): IncomingHttpHeaders {
    return this.req.headers;
  }

  get path(): string {
    return pathnameOf(this.target);
  }

  get query(): URLSearchParams {
    const { target } = this;
    const start = target.indexOf('?');
    this.parsed ??= new URLSearchParams(start < 0 ? '' : target.slice(start));
    return this.parsed;
  }

  get client(): string {
    return clientOf(this.req);
  }

  get signal(): AbortSignal {
    const { res } = this;
    if (this.controller === undefined) {
      const controller = new AbortController();
      this.controller = controller;
      if (res.closed || res.destroyed) controller.abort();
      else res.once('close', () => controller.abort());
    }
    return this.controller.signal;
  }

  /** The target that the client sent, also where the gateway is mounted below a path. */
  private get target(): string {
    const { originalUrl, url = '/' } = this.req as IncomingMessage & { originalUrl?: string };
    return originalUrl ?? url;
  }
}
