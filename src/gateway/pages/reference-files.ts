/**
 * The files of Scalar, from the package that the operator has installed. It is not a dependency,
 * because it is larger than the rest of the gateway. The page loads nothing from elsewhere.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { missingPackage, packageFolder } from '../../core/identity/optional-package.ts';
import { type DocsFile, type DocsFiles, docsFile, PAGE } from './docs-files.ts';

/** Pages that a package provides. */
type ReferencePage = 'scalar';

interface Definition {
  readonly title: string;
  readonly package: string;
  /** The script of the package that a browser runs. */
  readonly script: string;
  /** Returns the script that starts it. */
  start(documentUrl: string): string;
}

const DEFINITIONS: Readonly<Record<ReferencePage, Definition>> = {
  scalar: {
    title: 'Scalar',
    package: '@scalar/api-reference',
    script: 'dist/browser/standalone.js',
    start: (url) => {
      const options = { url, withDefaultFonts: false, telemetry: false, agent: { disabled: true } };
      return `Scalar.createApiReference('#docs', ${JSON.stringify(options)});\n`;
    },
  },
};

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="data:,">
<style>body { margin: 0 }</style>
</head>
<body>
<div id="docs"></div>
<script src="./docs.js"></script>
<script src="./docs-init.js"></script>
</body>
</html>
`;

export class ReferenceFiles implements DocsFiles {
  readonly title: string;
  private readonly files: ReadonlyMap<string, DocsFile>;

  /**
   * @param documentUrl URL of the document, relative to the page.
   * @throws {ZeroMQConfigError} when the package is not installed.
   */
  constructor(page: ReferencePage, documentUrl: string) {
    const definition = DEFINITIONS[page];
    const folder = packageFolder(definition.package);
    if (folder === undefined) throw missingPackage(definition.package, `docs ${page}`);
    this.title = definition.title;
    // Read and compressed at the start, so that no request waits for it.
    const script = readFileSync(path.join(folder, definition.script));
    this.files = new Map([
      [PAGE, fileOf('text/html', HTML)],
      ['docs.js', fileOf('text/javascript', script)],
      ['docs-init.js', fileOf('text/javascript', definition.start(documentUrl))],
    ]);
  }

  find(name: string): DocsFile | undefined {
    return this.files.get(name);
  }
}

function fileOf(contentType: string, content: string | Buffer): DocsFile {
  return docsFile(`${contentType}; charset=utf-8`, gzipSync(content));
}
