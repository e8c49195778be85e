/** OpenAPI documents given in the settings. */

import { ContractError } from '../../contract/errors.ts';
import type { Logger } from '../../core/logging/logging.ts';
import { diagnostics } from '../../core/observability/diagnostics.ts';
import { type ApiRegistry, putDocument, type Unnamed, watchDocuments } from '../../openapi/index.ts';
import { UsageError } from '../settings/errors.ts';
import { optional, setting } from '../settings/settings.ts';
import { choice, type DocumentSpec, document, list, text, wholeNumber } from '../settings/value-types.ts';
import type { Resources } from './serve.ts';

/** Settings of commands that serve OpenAPI documents. */
export const documentSettings = (defaultNote: string) => ({
  openapi: optional(list(document), {
    description:
      'OpenAPI document, YAML or JSON, for workers that announce no contract; /PREFIX= is put before its paths',
    defaultNote,
  }),
  apiTitle: optional(text, {
    description: 'Title of the API in the served document',
    group: 'OpenAPI documents',
    defaultNote: 'that of the only document or contract, else API',
  }),
  apiDescription: optional(text, {
    description: 'Description of the API in the served document, in Markdown',
    group: 'OpenAPI documents',
    defaultNote: 'that of the only document or contract, else a list of them',
  }),
  unnamed: setting(choice<Unnamed>('HOW', 'operationId', 'skip', 'reject'), {
    description:
      'Handling of operations without x-event-name: use their operationId as event name, skip them, or reject the document',
    group: 'OpenAPI documents',
    default: 'operationId',
  }),
  maxDocument: setting(wholeNumber(1024, 2 ** 40, 'BYTES'), {
    description: 'Maximum size of an OpenAPI document, including all files that it refers to',
    group: 'OpenAPI documents',
    default: 64 * 1024 * 1024,
    defaultNote: '67108864 (64 MiB)',
  }),
});

/** Options for reading documents. */
export interface DocumentOptions {
  readonly unnamed: Unnamed;
  /** Maximum size of a document, in bytes. */
  readonly maxDocument: number;
}

/**
 * Adds documents to a registry, each under its file name, and reloads them when their files change.
 * If a changed document is invalid, the error is logged and the previous version stays in use. If
 * a file is given again, the name of the additional document includes its prefix.
 *
 * @throws {UsageError} when documents are invalid; it names file, line and reason of every error.
 */
export function loadDocuments(
  registry: ApiRegistry,
  specs: readonly DocumentSpec[],
  { unnamed, maxDocument: maxBytes }: DocumentOptions,
  logger: Logger,
  resources: Resources,
): void {
  const errors: string[] = [];
  const onWarning = (warning: ContractError): void =>
    logger.warn(
      { document: warning.location.source, reason: warning.message },
      'a document causes a warning',
    );
  const documents = specs.map(({ file, prefix }, index) => {
    const repeated = specs.findIndex((other) => other.file === file) < index;
    return { file, prefix, unnamed, maxBytes, onWarning, name: repeated ? `${prefix}=${file}` : file };
  });
  for (const { file, ...options } of documents) {
    try {
      putDocument(registry, file, options);
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      errors.push(...error.problems.map(({ message }) => `openapi: ${message}`));
    }
  }
  if (errors.length > 0) throw new UsageError(errors);
  const watcher = watchDocuments(registry, documents, {
    onChange: (file) => {
      logger.info({ file }, 'reloaded a document');
      diagnostics.fileReloaded.publish({ what: 'document', ok: true });
    },
    onError: (error, file) => {
      logger.error(
        { file, reason: error.message },
        'cannot reload a document: the previous version stays in use',
      );
      diagnostics.fileReloaded.publish({ what: 'document', ok: false });
    },
  });
  resources.add(() => watcher.close());
}
