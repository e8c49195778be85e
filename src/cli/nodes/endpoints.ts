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
export async function binding<T>(listeners: readonly Listener[], bind: () => Promise<T>): Promise<T> {
  try {
    return await bind();
  } catch (error) {
    throw explained(listeners, error);
  }
}

function explained(listeners: readonly Listener[], thrown: unknown): unknown {
  const error = toError(thrown);
  if (!(error instanceof ZeroMQSocketInvalid) && codeOf(error.cause) !== 'EADDRINUSE') return error;
  const [found, twin] = listeners.filter(({ endpoint }) => isNamed(endpoint, error.message));
  if (found === undefined) return error;
  const { setting, endpoint } = found;
  const remedy = `choose another ${setting} with ${flagOf(setting)} or ${variableOf(setting)}`;
  return new CommandError(`${faultOf(error, endpoint, twin, setting)}; ${remedy}`, { cause: error });
}

function faultOf({ message }: Error, endpoint: string, twin: Listener | undefined, setting: string): string {
  if (twin !== undefined) return `${endpoint} is given for ${setting} and ${twin.setting}`;
  return /in use|EADDRINUSE|listens there/i.test(message)
    ? `${endpoint} is taken by another process`
    : message;
}

function codeOf(error: unknown): unknown {
  return (error as Partial<NodeJS.ErrnoException> | undefined)?.code;
}

/** Whether a message names an endpoint, either as configured or as bound. */
function isNamed(endpoint: string, message: string): boolean {
  const bound = endpoint.includes('://') ? toConnection(endpoint).getConnectionString(true) : endpoint;
  return [endpoint, bound].some((name) => message.includes(`${name}:`) || message.endsWith(name));
}
