/** Operator commands about stored requests: list, show, cancel. */
import { ZeroMQError } from '../../core/messages/errors.ts';
import type { Cancellation, ListQuery, RequestState, StoredRequest } from '../../store/index.ts';

/** A command, as the admin listener and the members of a cluster exchange it. */
export type RequestsCommand =
  | {
      readonly action: 'list';
      readonly caller?: string | undefined;
      readonly state?: RequestState | undefined;
      readonly limit: number;
      readonly after?: ListQuery['after'];
    }
  | { readonly action: 'show' | 'cancel'; readonly id: string };

/** The answer: an HTTP status and a body. */
export interface RequestsAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** The part of a store that the commands need. */
export interface RequestsStore {
  list(query: ListQuery): Promise<StoredRequest[]>;
  get(id: string): Promise<StoredRequest | undefined>;
  cancel(id: string): Promise<Cancellation>;
}

/** A stored request, as operators see it. Times are in ISO 8601. */
export type RequestRecord = ReturnType<typeof recordOf>;

/** The answer of a process without a store. */
export const NO_STORE: RequestsAnswer = failed(404, 'No gateway of this process has a store.');

/** Runs a command. */
export async function runRequestsCommand(
  store: RequestsStore,
  command: RequestsCommand,
): Promise<RequestsAnswer> {
  try {
    return await run(store, command);
  } catch (error) {
    if (!(error instanceof ZeroMQError)) throw error;
    return failed(error.status, error.message);
  }
}

async function run(store: RequestsStore, command: RequestsCommand): Promise<RequestsAnswer> {
  if (command.action === 'list') {
    const { action: _, ...query } = command;
    return { status: 200, body: (await store.list(query)).map(recordOf) };
  }
  const { id } = command;
  if (command.action === 'show') {
    const request = await store.get(id);
    return request === undefined ? unknown(id) : { status: 200, body: recordOf(request) };
  }
  const done = await store.cancel(id);
  if (done === 'missing') return unknown(id);
  if (done === 'ended') return failed(409, `The request ${JSON.stringify(id)} has ended.`);
  return { status: 200, body: { id, cancel: done } };
}

function unknown(id: string): RequestsAnswer {
  return failed(404, `There is no request ${JSON.stringify(id.slice(0, 200))}.`);
}

function failed(status: number, detail: string): RequestsAnswer {
  return { status, body: { status, detail } };
}

function recordOf(request: StoredRequest) {
  const { fingerprint: _, progress, ...rest } = request;
  return {
    ...rest,
    createdAt: timeOf(request.createdAt),
    startedAt: timeOf(request.startedAt),
    finishedAt: timeOf(request.finishedAt),
    expiresAt: timeOf(request.expiresAt),
    progress: progress === undefined ? undefined : (JSON.parse(progress) as unknown),
  };
}

function timeOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}
