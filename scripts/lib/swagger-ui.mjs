/**
 * Builds the files of Swagger UI that the gateway serves: the page and its script by
 * swagger-ui-express, and what they load from swagger-ui-dist. The package of this project contains
 * them compressed (0.5 MB), because swagger-ui-dist has 12.5 MB.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

/** Stands for the URL of the document, which depends on the settings of the gateway. */
export const DOCUMENT_URL = '__DOCUMENT_URL__';

/**
 * Scripts of this project: one shows streams as they arrive, one prepares the document, one loads the
 * operations of a large document.
 */
const SCRIPTS = ['swagger-ui-streams.js', 'swagger-ui-page.js', 'swagger-ui-operations.js'];

/**
 * Plugins of Swagger UI. It runs in the browser; swagger-ui-express writes the text of the function
 * into the script of the page.
 */
function plugins() {
  const { DownloadUrl } = window.SwaggerUIBundle.plugins;
  return [DownloadUrl, window.SwaggerUIStreams, window.SwaggerUIPage, window.SwaggerUIOperations];
}

/**
 * Replaces the URL of the document by that of the document for the page, which is an index if the
 * document is large. It runs in the browser, too.
 */
function requestInterceptor(request) {
  return request.loadSpec ? Object.assign(request, { url: './document.json' }) : request;
}

/** Types of bodies that are files, by the beginning of their names. */
const FILE_TYPES = [
  'application/octet-stream',
  'application/pdf',
  'application/zip',
  'application/gzip',
  'application/x-tar',
  'audio/',
  'font/',
  'image/',
  'model/',
  'video/',
];

/** Hides the empty bar at the top, and makes operations as short as their content. */
const CSS = [
  '.swagger-ui .topbar { display: none }',
  '.swagger-ui .info { margin: 16px 0 }',
  '.swagger-ui .scheme-container { padding: 8px 0; margin: 0 0 8px }',
  '.swagger-ui .opblock { margin: 0 0 6px }',
  '.swagger-ui .opblock-tag { padding: 6px 12px 6px 6px; margin: 0 0 3px }',
  '.swagger-ui .opblock-description-wrapper, .swagger-ui .opblock-section-header { padding: 6px 16px }',
  '.swagger-ui .responses-inner { padding: 8px 16px }',
  '.swagger-ui .opblock-body pre.microlight { max-height: 240px }',
  '.swagger-ui .index-note { font-size: 14px; margin: 16px 0 }',
].join(' ');

const OPTIONS = {
  swaggerUrl: DOCUMENT_URL,
  customSiteTitle: 'API',
  customCss: CSS,
  customJs: SCRIPTS.map((name) => `./${name}`),
  swaggerOptions: {
    validatorUrl: null,
    displayRequestDuration: true,
    docExpansion: 'list',
    // The browser keeps credentials, so that they are there after a reload.
    persistAuthorization: true,
    // The address of the page names the operation that is open.
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    fileUploadMediaTypes: FILE_TYPES,
    plugins: [plugins],
    requestInterceptor,
  },
};
const ASSETS = [
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'swagger-ui-standalone-preset.js',
  'favicon-16x16.png',
  'favicon-32x32.png',
];
const NOTICES = ['LICENSE', 'NOTICE'];

/** Writes the files into a folder and returns their names. */
export function buildSwaggerUi(root, folder) {
  const require = createRequire(path.join(root, 'package.json'));
  const swaggerUi = require('swagger-ui-express');
  const dist = path.dirname(require.resolve('swagger-ui-dist/package.json'));
  const files = new Map([
    ['index.html', swaggerUi.generateHTML(undefined, OPTIONS)],
    ['swagger-ui-init.js', initScript(swaggerUi)],
    ...SCRIPTS.map((name) => [name, scriptOf(path.join(root, 'src/gateway/pages', name))]),
    ...ASSETS.map((name) => [name, readFileSync(path.join(dist, name))]),
  ]);
  mkdirSync(folder, { recursive: true });
  for (const name of NOTICES) copyFileSync(path.join(dist, name), path.join(folder, name));
  for (const [name, content] of files) {
    writeFileSync(path.join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
  }
  return [...NOTICES, ...[...files.keys()].map((name) => `${name}.gz`)];
}

/** A script of this project for the page, which loads scripts and not modules. */
function scriptOf(file) {
  const text = readFileSync(file, 'utf8').replace(/^export /gm, '');
  return `(() => {\n${text}})();\n`;
}

/** The script that starts Swagger UI, as the middleware of swagger-ui-express sends it. */
function initScript(swaggerUi) {
  const [middleware] = swaggerUi.serveFiles(undefined, OPTIONS);
  let script;
  const response = { set: () => response, send: (body) => (script = body) };
  middleware({ url: '/swagger-ui-init.js' }, response, () => undefined);
  if (!script?.includes(JSON.stringify(DOCUMENT_URL))) {
    throw new Error('swagger-ui-express sends no script with the URL of the document');
  }
  return script;
}
