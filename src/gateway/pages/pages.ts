/** The gateway's own pages: the document, Swagger UI, and its health. */
import { type Health, healthOf, statusOf } from '../../core/observability/health.ts';
import { httpProblem } from '../common/problem.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { evaluate } from '../response/conditional.ts';
import { tagAsGiven } from '../response/entity-tag.ts';
import { answerBare } from '../response/reply.ts';
import { write, writeCompressed } from '../response/writer.ts';
import type { Page, PageHandler, PageRequest } from '../routing/page.ts';
import { gatewayHealth } from './health.ts';
import type { DocumentFormat, DocumentRenderer } from './openapi-document.ts';
import { pageHeaders } from './page-headers.ts';
import { DocsPage } from './swagger-ui.ts';

const ALLOW = 'GET, HEAD, OPTIONS';

/**
 * All pages by path; `/*` at the end stands for all paths below.
 * @param renderer gives the renderer of the document that is served now.
 */
export function newPages(core: GatewayContext, renderer: () => DocumentRenderer): Map<string, Page> {
  const pages = new Map<string, Page>();
  const add = (pattern: string, serve: PageHandler): void => {
    pages.set(pattern, { kind: 'page', path: pattern, allow: ALLOW, serve });
  };
  const { openapi, docs, livez, readyz } = core.settings.paths;
  if (openapi !== false) {
    for (const format of ['json', 'yaml'] as const) {
      add(`${openapi}.${format}`, (request) => serveDocument(core, renderer(), format, request));
    }
  }
  if (docs !== false && openapi !== false) {
    const page = new DocsPage(core, docs, openapi);
    add(docs, (request) => page.redirect(request));
    add(`${docs}/`, (request) => page.serve(request));
    add(`${docs}/*`, (request) => page.serve(request));
  }
  if (livez !== false) add(livez, (request) => sendHealth(core, request, healthOf([])));
  if (readyz !== false) add(readyz, (request) => sendHealth(core, request, gatewayHealth(core)));
  return pages;
}

function serveDocument(
  core: GatewayContext,
  renderer: DocumentRenderer,
  format: DocumentFormat,
  request: PageRequest,
): void {
  const { req, res, baseUrl } = request;
  const { body, contentType, etag } = renderer.render(format, baseUrl);
  const headers = pageHeaders(core, request);
  const verdict = evaluate(req.headers, { etag, lastModified: undefined }, true);
  if (verdict === 'failed') {
    const problem = httpProblem(
      'PRECONDITION_FAILED',
      'The document is not in the state that the request asks for.',
    );
    answerBare(core, req, res, request.requestId, problem);
    return;
  }
  const status = verdict === 'not-modified' ? 304 : 200;
  const sent = status === 304 ? tagAsGiven(req.headers['if-none-match'], etag) : undefined;
  headers.push('ETag', sent ?? etag, 'Cache-Control', 'no-cache');
  const response = { status, headers, contentType, body };
  const { compression } = core.settings;
  if (compression === false) write(core, request, response);
  else writeCompressed(core, request, response, compression);
}

function sendHealth(core: GatewayContext, request: PageRequest, health: Health): void {
  const headers = pageHeaders(core, request);
  headers.push('Cache-Control', 'no-store');
  const body = Buffer.from(JSON.stringify(health));
  write(core, request, { status: statusOf(health), headers, contentType: 'application/json', body });
}
