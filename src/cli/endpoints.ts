/** What to say about addresses. */
import { CommandError } from './errors.ts';
import { flagOf, variableOf } from './settings.ts';

/** An address that a command listens on, and the setting that it comes from. */
export interface Listener {
  readonly setting: string;
  readonly endpoint: string;
}

/**
 * Runs what binds addresses; an address that somebody else has becomes an error that names the setting to change.
 */
export async function binding<T>(listeners: readonly Listener[], bind: () => Promise<T>): Promise<T> {
  try {
    return await bind();
  } catch (error) {
    throw explained(listeners, error);
  }
}

function explained(listeners: readonly Listener[], error: unknown): unknown {
  const { code, message, cause } = error as Partial<NodeJS.ErrnoException> & { cause?: { code?: unknown } };
  if (code !== 'EADDRINUSE' && cause?.code !== 'EADDRINUSE') return error;
  const taken = listeners.find(({ endpoint }) => message?.includes(endpoint)) ?? listeners[0];
  if (taken === undefined) return error;
  const { setting, endpoint } = taken;
  return new CommandError(
    `${endpoint} is taken by another process; choose another ${setting} with ${flagOf(setting)} or ` +
      variableOf(setting),
    { cause: error },
  );
}
