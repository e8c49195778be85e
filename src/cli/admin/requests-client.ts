/** Runs commands about stored requests, through an admin listener or directly in a database. */
import { toError } from '../../core/messages/errors.ts';
import {
  type RequestsAnswer,
  type RequestsCommand,
  readToken,
  runRequestsCommand,
} from '../../gateway/admin/index.ts';
import { openStore } from '../../store/index.ts';
import { CommandError } from '../settings/errors.ts';

/** Where the stored requests are. */
export interface RequestsTarget {
  /** URL of an admin listener. */
  readonly to: string;
  readonly adminTokenFile: string | undefined;
  /** URL of the store, to open it directly. */
  readonly store: string | undefined;
  /** In ms. */
  readonly timeout: number;
}

/**
 * Runs a command and returns the body of its answer.
 *
 * @throws {CommandError} when the command fails.
 */
export async function runRequests(target: RequestsTarget, command: RequestsCommand): Promise<unknown> {
  const { status, body } =
    target.store === undefined ? await ask(target, command) : await open(target.store, command);
  if (status === 200) return body;
  throw new CommandError(
    (body as { detail?: string } | null)?.detail ?? `the listener responded with ${status}`,
  );
}

async function open(url: string, command: RequestsCommand): Promise<RequestsAnswer> {
  const store = await openStore(url);
  try {
    return await runRequestsCommand(store, command);
  } finally {
    await store.close();
  }
}

async function ask(
  { to, adminTokenFile, timeout }: RequestsTarget,
  command: RequestsCommand,
): Promise<RequestsAnswer> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (adminTokenFile !== undefined) headers['authorization'] = `Bearer ${readToken(adminTokenFile)}`;
  const cancels = command.action === 'cancel';
  const url = new URL(pathOf(command), to);
  try {
    const response = await fetch(url, {
      method: cancels ? 'POST' : 'GET',
      headers,
      signal: AbortSignal.timeout(timeout),
      ...(cancels ? { body: '{}' } : {}),
    });
    return { status: response.status, body: await response.json() };
  } catch (error) {
    const { cause, message } = toError(error);
    const reason = cause instanceof Error ? cause.message : message;
    throw new CommandError(
      `cannot reach the admin listener ${url.origin}: ${reason}; start the gateway with --admin, or use --store`,
    );
  }
}

function pathOf(command: RequestsCommand): string {
  if (command.action !== 'list') {
    const path = `/api/requests/${encodeURIComponent(command.id)}`;
    return command.action === 'cancel' ? `${path}/cancel` : path;
  }
  const { state, caller, limit } = command;
  const query = new URLSearchParams({ limit: String(limit) });
  if (state !== undefined) query.set('state', state);
  if (caller !== undefined) query.set('caller', caller);
  return `/api/requests?${query.toString()}`;
}
