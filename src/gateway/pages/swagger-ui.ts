/**
 * Swagger UI, served from local files only. It loads the document by a relative URL, so that it
 * works at any mount path.
 */
import { gzipSync } from 'node:zlib';
import { toError } from '../../core/messages/errors.ts';
import { chooseCoding } from '../common/media-type.ts';
import { httpProblem } from '../common/problem.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { evaluate } from '../response/conditional.ts';
import { sendPlainProblem } from '../response/reply.ts';
import { write } from '../response/writer.ts';
import type { PageRequest } from '../routing/page.ts';
import { docsHeaders } from '../security/headers.ts';
import { pageHeaders } from './page-headers.ts';
import { type SwaggerUiFile, swaggerUiFile, swaggerUiFileOf } from './swagger-ui-files.ts';

/** The file that starts Swagger UI. A file, because the content security policy forbids inline scripts. */
const INIT = 'swagger-ui-init.js';

const HTML = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>API</title>
    <link rel="stylesheet" href="./swagger-ui.css">
    <link rel="icon" type="image/png" href="./favicon-32x32.png" sizes="32x32">
    <link rel="icon" type="image/png" href="./favicon-16x16.png" sizes="16x16">
    <style>body { margin: 0; background: #fafafa }</style>
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="./swagger-ui-bundle.js"></script>
    <script src="./${INIT}"></script>
  </body>
</html>
`;

/** The script that starts Swagger UI with the document at a URL. */
function initScript(url: string): string {
  const options = {
    url,
    dom_id: '#swagger-ui',
    deepLinking: true,
    validatorUrl: null,
    displayRequestDuration: true,
    docExpansion: 'list',
  };
  return `window.ui = SwaggerUIBundle(${JSON.stringify(options, undefined, 2)});\n`;
}

/** The Swagger UI page and its files. */
export class DocsPage {
  private readonly headers: readonly string[];
  private readonly html = Buffer.from(HTML);
  private readonly init: SwaggerUiFile;

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
    const script = initScript(`${up}${openapi.slice(1)}.json`);
    this.init = swaggerUiFileOf('text/javascript; charset=utf-8', gzipSync(script));
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
    if (name === '') {
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
    const file = name === INIT ? this.init : this.find(name, request.requestId);
    if (file === undefined) this.sendNotFound(request);
    else this.sendFile(request, file);
  }

  /** Reads a file; undefined if there is no such file or it cannot be read. */
  private find(name: string, requestId: string): SwaggerUiFile | undefined {
    try {
      return swaggerUiFile(name);
    } catch (error) {
      this.gateway.logger.error({ err: toError(error), requestId }, 'cannot read a file of Swagger UI');
      return undefined;
    }
  }

  private sendFile(request: PageRequest, { contentType, etag, gzip, identity }: SwaggerUiFile): void {
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
    const problem = httpProblem('NOT_FOUND', 'Swagger UI has no such file.');
    sendPlainProblem(this.gateway, req, res, requestId, problem);
  }
}
