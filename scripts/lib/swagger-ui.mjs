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

/** Script of this project that shows streams as they arrive. */
const STREAMS = 'swagger-ui-streams.js';

/**
 * Plugins of Swagger UI. It runs in the browser; swagger-ui-express writes the text of the function
 * into the script of the page.
 */
function plugins() {
  return [window.SwaggerUIBundle.plugins.DownloadUrl, window.SwaggerUIStreams];
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

const OPTIONS = {
  swaggerUrl: DOCUMENT_URL,
  customSiteTitle: 'API',
  customCss: '.swagger-ui .topbar { display: none }',
  customJs: `./${STREAMS}`,
  swaggerOptions: {
    validatorUrl: null,
    displayRequestDuration: true,
    docExpansion: 'list',
    fileUploadMediaTypes: FILE_TYPES,
    plugins: [plugins],
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
    [STREAMS, readFileSync(path.join(root, 'src/gateway/pages', STREAMS))],
    ...ASSETS.map((name) => [name, readFileSync(path.join(dist, name))]),
  ]);
  mkdirSync(folder, { recursive: true });
  for (const name of NOTICES) copyFileSync(path.join(dist, name), path.join(folder, name));
  for (const [name, content] of files) {
    writeFileSync(path.join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
  }
  return [...NOTICES, ...[...files.keys()].map((name) => `${name}.gz`)];
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
