/** Errors about the addresses that a command binds. */
import { toError, ZeroMQSocketInvalid } from '../../core/messages/errors.ts';
import { toConnection } from '../../transport/addressing/connection.ts';
import { CommandError } from '../settings/errors.ts';
import { flagOf, variableOf } from '../settings/settings.ts';

/** An address that a command listens on, and the setting that it comes from. */
export interface Listener {
  readonly setting: string;
  readonly endpoint: string;
}

/**
 * Runs a function that binds addresses. If an address cannot be bound, the error names the setting
 * to change.
 */
export async function explainBindErrors<T>(
  listeners: readonly Listener[],
  bind: () => Promise<T>,
): Promise<T> {
  try {
    return await bind();
  } catch (error) {
    throw bindError(listeners, error);
  }
}

function bindError(listeners: readonly Listener[], thrown: unknown): unknown {
  const error = toError(thrown);
  if (!(error instanceof ZeroMQSocketInvalid) && codeOf(error.cause) !== 'EADDRINUSE') return error;
  const [found, duplicate] = listeners.filter(({ endpoint }) => isNamed(endpoint, error.message));
  if (found === undefined) return error;
  const { setting } = found;
  const remedy = `choose another ${setting} with ${flagOf(setting)} or ${variableOf(setting)}`;
  return new CommandError(`${reasonOf(error, found, duplicate)} ${remedy}`, { cause: error });
}

function reasonOf({ message }: Error, found: Listener, duplicate: Listener | undefined): string {
  const { endpoint, setting } = found;
  if (duplicate !== undefined) {
    return `cannot bind ${endpoint}: ${setting} and ${duplicate.setting} have the same address;`;
  }
  return /in use|EADDRINUSE|listens there/i.test(message)
    ? `cannot bind ${endpoint}: another process uses the address; stop that process or`
    : `${message};`;
}

function codeOf(error: unknown): unknown {
  return (error as Partial<NodeJS.ErrnoException> | undefined)?.code;
}

/** Whether a message names an endpoint, either as configured or as bound. */
function isNamed(endpoint: string, message: string): boolean {
  const bound = endpoint.includes('://') ? toConnection(endpoint).getConnectionString(true) : endpoint;
  return [endpoint, bound].some((name) => message.includes(`${name}:`) || message.endsWith(name));
}
