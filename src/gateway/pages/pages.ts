/** The pages that the gateway serves itself: the document, its page and health checks. */
import { type Health, healthOf, statusOf } from '../../core/observability/health.ts';
import { httpProblem, invalidRequest } from '../common/problem.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { evaluate } from '../response/conditional.ts';
import { clientTag } from '../response/entity-tag.ts';
import { sendPlainProblem } from '../response/reply.ts';
import { write, writeCompressed } from '../response/writer.ts';
import type { Page, PageHandler, PageRequest } from '../routing/page.ts';
import { DocsPage } from './docs-page.ts';
import { gatewayHealth } from './health.ts';
import {
  type DocumentFormat,
  type DocumentRenderer,
  type RenderedDocument,
  VERSIONS,
  versionOf,
} from './openapi-document.ts';
import { pageHeaders } from './page-headers.ts';

const ALLOW = 'GET, HEAD, OPTIONS';

/**
 * Creates all pages, by path. `/*` at the end of a path matches all paths below it.
 * @param renderer returns the renderer of the current document.
 */
export function newPages(gateway: GatewayContext, renderer: () => DocumentRenderer): Map<string, Page> {
  const pages = new Map<string, Page>();
  const add = (pattern: string, serve: PageHandler): void => {
    pages.set(pattern, { kind: 'page', path: pattern, allow: ALLOW, serve });
  };
  const { openapi, docs, livez, readyz } = gateway.settings.paths;
  if (openapi !== false) {
    for (const format of ['json', 'yaml'] as const) {
      add(`${openapi}.${format}`, (request) => serveDocument(gateway, renderer(), format, request));
    }
  }
  if (docs !== false && openapi !== false) {
    const page = new DocsPage(gateway, docs, openapi);
    add(docs, (request) => page.redirect(request));
    add(`${docs}/`, (request) => page.serve(request));
    add(`${docs}/*`, (request) => page.serve(request));
    if (gateway.settings.docs === 'swagger') {
      add(`${docs}/document.json`, (request) =>
        sendDocument(gateway, renderer().renderForPage(request.baseUrl), request),
      );
      add(`${docs}/operation.json`, (request) => serveOperation(gateway, renderer(), request));
    }
  }
  if (livez !== false) add(livez, (request) => sendHealth(gateway, request, healthOf([])));
  if (readyz !== false) add(readyz, (request) => sendHealth(gateway, request, gatewayHealth(gateway)));
  return pages;
}

function serveDocument(
  gateway: GatewayContext,
  renderer: DocumentRenderer,
  format: DocumentFormat,
  request: PageRequest,
): void {
  const { req, res, baseUrl } = request;
  const version = versionOf(req.url);
  if (version === undefined) {
    const detail = `must be a version of OpenAPI, given once: ${VERSIONS.join(' or ')}`;
    const problem = invalidRequest([{ pointer: '/query/version', detail }]);
    sendPlainProblem(gateway, req, res, request.requestId, problem);
    return;
  }
  sendDocument(gateway, renderer.render(format, baseUrl, version), request);
}

/** Serves the document of the operation that the query names, to Swagger UI. */
function serveOperation(gateway: GatewayContext, renderer: DocumentRenderer, request: PageRequest): void {
  const { req, res, requestId } = request;
  const { url = '' } = req;
  const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
  const given = (key: string): string => query.get(key) ?? '';
  const place = { section: given('section'), name: given('name'), method: given('method') };
  const rendered = renderer.renderOperation(place);
  if (rendered !== undefined) return sendDocument(gateway, rendered, request);
  const problem = httpProblem('NOT_FOUND', 'The document has no such operation.');
  sendPlainProblem(gateway, req, res, requestId, problem);
}

function sendDocument(
  gateway: GatewayContext,
  { body, contentType, etag }: RenderedDocument,
  request: PageRequest,
): void {
  const { req, res } = request;
  const headers = pageHeaders(gateway, request);
  const conditions = evaluate(req.headers, { etag, lastModified: undefined }, true);
  if (conditions === 'failed') {
    const problem = httpProblem(
      'PRECONDITION_FAILED',
      'The document does not have the entity tag that If-Match names.',
    );
    sendPlainProblem(gateway, req, res, request.requestId, problem);
    return;
  }
  const status = conditions === 'not-modified' ? 304 : 200;
  const sent = status === 304 ? clientTag(req.headers['if-none-match'], etag) : undefined;
  headers.push('ETag', sent ?? etag, 'Cache-Control', 'no-cache');
  const response = { status, headers, contentType, body };
  const { compression } = gateway.settings;
  if (compression === false) write(gateway, request, response);
  else writeCompressed(gateway, request, response, compression);
}

function sendHealth(gateway: GatewayContext, request: PageRequest, health: Health): void {
  const headers = pageHeaders(gateway, request);
  headers.push('Cache-Control', 'no-store');
  const body = Buffer.from(JSON.stringify(health));
  write(gateway, request, { status: statusOf(health), headers, contentType: 'application/json', body });
}
