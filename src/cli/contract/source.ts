/**
 * contract: what `contract diff` and `contract test` read.
 *
 * Sources of contracts: a document in a file or at a URL, or a worker file with a contract.
 */
import { statSync } from 'node:fs';
import { extname } from 'node:path';
import Joi from 'joi';
import { toError } from '../../core/messages/errors.ts';
import type { ApiRegistry } from '../../openapi/index.ts';
import { type ReadContract } from '../../openapi/index.ts';
import { loadWorkerModule } from '../../worker/index.ts';
import { CommandError, UsageError } from '../settings/errors.ts';
import type { ValueType } from '../settings/value-types.ts';
import { readFile, reading, readUrl } from '../types/source.ts';

const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);
const CODE = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

/** A file or URL with a document, or a worker file. */
export const contractSource: ValueType<string> = {
  placeholder: 'SOURCE',
  allowed: 'a file that exists, or http://HOST:PORT/PATH, https://HOST:PORT/PATH',
  schema: () =>
    Joi.string().custom((value: string, { error }) => {
      const isUsable = isUrl(value) ? URL.canParse(value) : statSync(value).isFile();
      return isUsable ? value : error('any.invalid');
    }),
  isPath: true,
  isLiteral: isUrl,
};

/**
 * Reads a contract.
 *
 * @param setting name of the setting, for errors.
 * @param timeout maximum duration of a request, in milliseconds.
 * @throws {UsageError} with the reason of every problem.
 */
export async function readContract(source: string, setting: string, timeout: number): Promise<ReadContract> {
  const registry = await readSource(source, setting, timeout);
  const [name = ''] = registry.names();
  const contract = registry.contractOf(name);
  if (contract === undefined) throw new UsageError([`${setting}: ${source} has no operations`]);
  return contract;
}

async function readSource(source: string, setting: string, timeout: number): Promise<ApiRegistry> {
  if (CODE.includes(extname(source)) && !isUrl(source)) return readWorker(source, setting);
  if (!isUrl(source)) return readFile(source, 'operationId', setting);
  try {
    return await readUrl(source, 'operationId', timeout, setting);
  } catch (error) {
    // Exit code 1 is for documents that were compared.
    if (error instanceof CommandError) throw new UsageError([`${setting}: ${error.message}`]);
    throw error;
  }
}

async function readWorker(file: string, setting: string): Promise<ApiRegistry> {
  let contract: { readonly name: string; fragment(): unknown } | undefined;
  try {
    ({ contract } = await loadWorkerModule(file));
  } catch (error) {
    throw new UsageError([`${setting}: ${toError(error).message}`]);
  }
  if (contract === undefined) throw new UsageError([`${setting}: the worker ${file} has no contract`]);
  const { name } = contract;
  return reading((registry) => registry.put(name, contract.fragment()), setting);
}
