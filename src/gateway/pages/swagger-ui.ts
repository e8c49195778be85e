/**
 * Swagger UI, served from local files only. It loads the document by a relative URL, so that it
 * works at any mount path.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import swaggerUi from 'swagger-ui-express';
import { toError } from '../../core/messages/errors.ts';
import { httpProblem } from '../common/problem.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { sendPlainProblem } from '../response/reply.ts';
import { write } from '../response/writer.ts';
import type { PageRequest } from '../routing/page.ts';
import { docsHeaders } from '../security/headers.ts';
import { pageHeaders } from './page-headers.ts';

/** The signature of an Express app that is called as a middleware. */
type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

const HIDE_TOPBAR = '.swagger-ui .topbar { display: none }';

/** The Swagger UI page and its files. */
export class DocsPage {
  private readonly headers: readonly string[];
  private readonly html: Buffer;
  private readonly files: Middleware;

  /**
   * @param path path of the page, such as `/docs`.
   * @param openapi path of the document without its extension.
   */
  constructor(
    private readonly gateway: GatewayContext,
    private readonly path: string,
    openapi: string,
  ) {
    this.headers = docsHeaders(gateway.settings.helmet);
    const up = '../'.repeat(path.split('/').length - 1);
    const options = {
      swaggerUrl: `${up}${openapi.slice(1)}.json`,
      customSiteTitle: 'API',
      customCss: HIDE_TOPBAR,
      swaggerOptions: { validatorUrl: null, displayRequestDuration: true, docExpansion: 'list' },
    };
    this.html = Buffer.from(swaggerUi.generateHTML(undefined, options));
    const app = express();
    app.disable('x-powered-by');
    app.use(swaggerUi.serveFiles(undefined, options));
    this.files = app;
  }

  /** Redirects to the path with a slash at its end, which the relative links of the page need. */
  redirect(request: PageRequest): void {
    const headers = pageHeaders(this.gateway, request, this.headers);
    headers.push('Location', `${request.baseUrl}${this.path}/`);
    write(this.gateway, request, {
      status: 308,
      headers,
      contentType: 'text/plain',
      body: Buffer.alloc(0),
    });
  }

  /** Serves the page or one of its files. */
  serve(request: PageRequest): void {
    const { url = '' } = request.req;
    const file = url.slice(url.indexOf(this.path) + this.path.length);
    if (/^\/(?:[?#]|$)/.test(file)) {
      const headers = pageHeaders(this.gateway, request, this.headers);
      headers.push('Cache-Control', 'no-cache');
      write(this.gateway, request, {
        status: 200,
        headers,
        contentType: 'text/html; charset=utf-8',
        body: this.html,
      });
      return;
    }
    this.serveFile(request, file);
  }

  private serveFile(request: PageRequest, file: string): void {
    const { req, res, requestId } = request;
    const headers = pageHeaders(this.gateway, request, this.headers);
    for (let index = 0; index < headers.length; index += 2) {
      res.setHeader(headers[index] ?? '', headers[index + 1] ?? '');
    }
    const { url } = req;
    req.url = file;
    this.files(req, res, (error) => {
      req.url = url;
      if (error !== undefined && error !== null && error !== 'router') {
        this.gateway.logger.error({ err: toError(error), requestId }, 'cannot send a file of Swagger UI');
      }
      sendPlainProblem(
        this.gateway,
        req,
        res,
        requestId,
        httpProblem('NOT_FOUND', 'Swagger UI has no such file.'),
      );
    });
  }
}
