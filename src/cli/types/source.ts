/** Sources of the types of events: a URL or a file with an OpenAPI document, or a router. */
import { statSync } from 'node:fs';
import Joi from 'joi';
import { parse } from 'yaml';
import { ContractError } from '../../contract/errors.ts';
import { toError } from '../../core/messages/errors.ts';
import { ApiRegistry, putDocument, type Unnamed } from '../../openapi/index.ts';
import type { ListedContract } from '../admin/router-admin-client.ts';
import { CommandError, UsageError } from '../settings/errors.ts';
import { connectEndpoint, type ValueType } from '../settings/value-types.ts';

const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);
const hasScheme = (text: string): boolean => /^[a-z]+:\/\//i.test(text);

/** Returns whether a source is the endpoint of a router. */
export function isRouter(from: string): boolean {
  return hasScheme(from) && !isUrl(from);
}

/** A URL of a document, a file, or the endpoint of a router. */
export const typesSource: ValueType<string> = {
  placeholder: 'SOURCE',
  allowed: `http://HOST:PORT/PATH, https://HOST:PORT/PATH, a file that exists, or a router: ${connectEndpoint.allowed}`,
  schema: () =>
    Joi.string().custom((value: string, { error }) => {
      if (isUrl(value)) return URL.canParse(value) ? value : error('any.invalid');
      if (hasScheme(value)) return Joi.attempt(value, connectEndpoint.schema()) as string;
      return statSync(value).isFile() ? value : error('any.invalid');
    }),
  isPath: true,
  isLiteral: hasScheme,
};

/**
 * Reads a document from a file.
 *
 * @param setting name of the setting, for errors.
 * @throws {UsageError} with file, line and reason of every problem of the document.
 */
export function readFile(file: string, unnamed: Unnamed, setting = 'from'): ApiRegistry {
  return reading((registry) => putDocument(registry, file, { unnamed }), setting);
}

/**
 * Reads a document from a web server, such as a gateway.
 *
 * @param timeout maximum duration of the request, in milliseconds.
 * @throws {CommandError} when the server does not respond with a document.
 * @throws {UsageError} with the reason of every problem of the document.
 */
export async function readUrl(
  url: string,
  unnamed: Unnamed,
  timeout: number,
  setting = 'from',
): Promise<ApiRegistry> {
  const text = await download(url, timeout);
  let document: unknown = text;
  if (!text.trimStart().startsWith('{')) {
    try {
      document = parse(text);
    } catch (error) {
      const { message } = toError(error);
      throw new UsageError([`${setting}: ${url} is neither JSON nor YAML: ${message.split('\n', 1)[0]}`]);
    }
  }
  return reading((registry) => registry.put(url, document, { unnamed }), setting);
}

async function download(url: string, timeout: number): Promise<string> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json, application/yaml;q=0.9, */*;q=0.1' },
      signal: AbortSignal.timeout(timeout),
    });
    const text = await response.text();
    if (response.ok) return text;
    throw new Error(`the server responded with ${response.status}`);
  } catch (thrown) {
    const { message, name, cause } = toError(thrown);
    const reason = name === 'TimeoutError' ? `no response within ${timeout} ms` : (causeOf(cause) ?? message);
    throw new CommandError(
      `cannot read ${url}: ${reason}; check that the gateway runs and that the URL is that of its document, ` +
        'such as http://127.0.0.1:8080/openapi.json, or download the document and pass the file',
    );
  }
}

/** Returns why `fetch` failed; its own message is only "fetch failed". */
function causeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  const { message, code } = cause as NodeJS.ErrnoException;
  return message === '' ? code : message;
}

/**
 * Merges the contracts that a router listed, as gateways do. A contract that conflicts with others
 * is left out, with a warning if a worker serves it.
 *
 * @throws {CommandError} when the list is empty.
 */
export function readContracts(
  router: string,
  contracts: readonly ListedContract[],
  warn: (text: string) => void,
): { readonly registry: ApiRegistry; readonly events: ReadonlySet<string> } {
  if (contracts.length === 0) {
    throw new CommandError(
      `no worker of the router ${router} announced a contract: start the workers, or pass their OpenAPI document with --from FILE`,
    );
  }
  const registry = new ApiRegistry();
  const events = new Set<string>();
  const sorted = [...contracts].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, fragment, events: announced, available } of sorted) {
    try {
      registry.put(name, fragment, { kind: 'worker', available, events: announced });
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      if (available) warn(`left out the contract ${name}: ${error.message}`);
    }
    for (const event of announced ?? []) events.add(event);
  }
  return { registry, events };
}

/** Reads a document into a registry of its own. */
export function reading(put: (registry: ApiRegistry) => unknown, setting: string): ApiRegistry {
  const registry = new ApiRegistry();
  try {
    put(registry);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    throw new UsageError(error.problems.map(({ message }) => `${setting}: ${message}`));
  }
  if (registry.snapshot().operations.length === 0) {
    throw new UsageError([`${setting}: the document has no operations; pass a document with paths`]);
  }
  return registry;
}
