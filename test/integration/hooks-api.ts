/** A gateway with hooks for tests: its document, and what it sent and logged. */
import type { TestContext } from 'node:test';
import { SILENT } from '../../src/gateway/common/api-source.ts';
import type { GatewayHooks, GatewaySettingsInput } from '../../src/gateway/index.ts';
import { apiOf, jsonBody, parameter } from '../helpers/gateway/api.ts';
import type { Host, Hosted } from '../helpers/gateway/hosts.ts';
import { type FakeHandler, FakeRequester } from '../helpers/gateway/requester.ts';

const id = parameter('id', 'path', { type: 'string' });
const tenant = parameter('X-Tenant', 'header', { type: 'string' }, { required: true });
const task = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] };
const replies = { 200: { description: 'ok', content: { 'application/json': { schema: task } } } };

const api = apiOf(
  {
    '/things/{id}': {
      get: { 'x-etag': true, parameters: [id], operationId: 'getThing' },
      put: { parameters: [id], ...jsonBody({ type: 'object' }) },
    },
    '/things': { post: jsonBody({ type: 'object', properties: { n: { type: 'integer' } } }) },
    '/tenants': { get: { parameters: [tenant] } },
    '/secret': { get: { security: [{ key: [] }] } },
    '/typed': { get: { responses: replies } },
    '/short': { get: { 'x-timeout-ms': 60 } },
  },
  { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } } },
);
export const KEY = 'a-secret-key-of-eva';
const auth = { schemes: { key: { type: 'apiKey', keys: [{ id: 'eva', key: KEY }] } as const } };

interface Failure {
  readonly message: string;
  readonly hook: unknown;
  readonly requestId: unknown;
}

export interface HookedGateway extends Hosted {
  readonly requester: FakeRequester;
  /** Failures of hooks in the log. */
  readonly failures: Failure[];
  readonly lines: Record<string, unknown>[];
  readonly post: (
    path: string,
    body: string,
    method?: string,
    headers?: Record<string, string>,
  ) => Promise<Response>;
}

/** Starts a gateway with hooks. Things are answered with their event data. */
export async function startHooked(
  t: TestContext,
  host: Host,
  hooks: GatewayHooks | readonly GatewayHooks[],
  { handlers = {}, ...settings }: GatewaySettingsInput & { handlers?: Record<string, FakeHandler> } = {},
): Promise<HookedGateway> {
  const failures: Failure[] = [];
  const lines: Record<string, unknown>[] = [];
  const logger = {
    ...SILENT,
    info: (fields: object): void => void lines.push(fields as Record<string, unknown>),
    error: (fields: object, message: string): void => {
      const { err, hook, requestId } = fields as { err?: Error; hook?: unknown; requestId?: unknown };
      failures.push({ message: err?.message ?? message, hook, requestId });
    },
  };
  const requester = new FakeRequester(handlers);
  const hosted = await host(t, { requester, api, auth, hooks, logger, ...settings });
  const post: HookedGateway['post'] = (path, body, method = 'POST', headers = {}) =>
    fetch(hosted.url + path, { method, body, headers: { 'content-type': 'application/json', ...headers } });
  return { ...hosted, requester, failures, lines, post };
}
