/**
 * The page that shows the document: Swagger UI or Scalar. It is served from local files only
 * and loads the document by a relative URL, so that it works at any mount path.
 */
import { toError } from '../../core/messages/errors.ts';
import { chooseCoding } from '../common/media-type.ts';
import { httpProblem } from '../common/problem.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { evaluate } from '../response/conditional.ts';
import { sendPlainProblem } from '../response/reply.ts';
import { write } from '../response/writer.ts';
import type { PageRequest } from '../routing/page.ts';
import { docsHeaders } from '../security/headers.ts';
import { type DocsFile, type DocsFiles, PAGE } from './docs-files.ts';
import { pageHeaders } from './page-headers.ts';
import { ReferenceFiles } from './reference-files.ts';
import { SwaggerUiFiles } from './swagger-ui-files.ts';

/** The page and its files. */
export class DocsPage {
  private readonly headers: readonly string[];
  private readonly files: DocsFiles;

  /**
   * @param path path of the page, such as `/docs`.
   * @param openapi path of the document without its extension.
   * @throws {ZeroMQConfigError} when the package of the page is not installed.
   */
  constructor(
    private readonly gateway: GatewayContext,
    private readonly path: string,
    openapi: string,
  ) {
    const { helmet, docs } = gateway.settings;
    this.headers = docsHeaders(helmet);
    const up = '../'.repeat(path.split('/').length - 1);
    const documentUrl = `${up}${openapi.slice(1)}.json`;
    this.files = docs === 'swagger' ? new SwaggerUiFiles(documentUrl) : new ReferenceFiles(docs, documentUrl);
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
    const [name = ''] = url.slice(url.indexOf(this.path) + this.path.length + 1).split(/[?#]/, 1);
    const file = this.find(name === '' ? PAGE : name, request.requestId);
    if (file === undefined) this.sendNotFound(request);
    else this.sendFile(request, file);
  }

  /** Reads a file; undefined if there is no such file or it cannot be read. */
  private find(name: string, requestId: string): DocsFile | undefined {
    try {
      return this.files.find(name);
    } catch (error) {
      this.gateway.logger.error(
        { err: toError(error), requestId },
        `cannot read a file of ${this.files.title}`,
      );
      return undefined;
    }
  }

  private sendFile(request: PageRequest, { contentType, etag, gzip, identity }: DocsFile): void {
    const { headers: given } = request.req;
    const headers = pageHeaders(this.gateway, request, this.headers);
    headers.push('Cache-Control', 'no-cache', 'ETag', etag, 'Vary', 'Accept-Encoding');
    const isKnown = evaluate(given, { etag, lastModified: undefined }, true) === 'not-modified';
    const accepted = given['accept-encoding'];
    const isCompressed = typeof accepted === 'string' && chooseCoding(accepted, ['gzip']) !== undefined;
    if (isCompressed && !isKnown) headers.push('Content-Encoding', 'gzip');
    const body = isCompressed ? gzip : identity;
    write(this.gateway, request, { status: isKnown ? 304 : 200, headers, contentType, body });
  }

  private sendNotFound({ req, res, requestId }: PageRequest): void {
    const problem = httpProblem('NOT_FOUND', `${this.files.title} has no such file.`);
    sendPlainProblem(this.gateway, req, res, requestId, problem);
  }
}
