/** OpenAPI documents that the operator names. */
import { type ApiRegistry, putDocument, watchDocuments } from '../apidoc/index.ts';
import { ContractError } from '../contract/errors.ts';
import type { Logger } from '../core/logging.ts';
import { UsageError } from './errors.ts';
import type { Opened } from './serve.ts';

/**
 * Puts documents into a registry, each under the name of its file, and takes in what is saved later; a document that
 * is broken then is told in the log, and the old one stays.
 *
 * @throws UsageError that names file, line and reason, for every file that cannot be used.
 */
export function loadDocuments(
  registry: ApiRegistry,
  files: readonly string[],
  logger: Logger,
  opened: Opened,
): void {
  const faults: string[] = [];
  for (const file of files) {
    try {
      putDocument(registry, file);
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      faults.push(`openapi: ${error.message}`);
    }
  }
  if (faults.length > 0) throw new UsageError(faults);
  const watcher = watchDocuments(
    registry,
    files.map((file) => ({ file })),
    {
      onChange: (file) => logger.info({ file }, 'a changed document was taken in'),
      onError: (error, file) =>
        logger.error({ file, reason: error.message }, 'a changed document was refused'),
    },
  );
  opened.add(() => watcher.close());
}
