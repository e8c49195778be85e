/**
 * Shows stored requests while no operation of the document is asynchronous: after a restart of router
 * and gateway, the contracts arrive with the workers, and the results are in the store before that.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import type { Json, JsonObject } from '../../contract/json.ts';
import type { ApiSnapshot } from '../../openapi/model/operation.ts';
import { httpProblem, type Problem } from '../common/problem.ts';
import type { GatewaySettings, SchemeSettings } from '../common/settings.ts';
import type { StoreService } from '../durable/store-service.ts';
import type { RouteContext } from '../routing/route.ts';
import { type Match, RouteTable } from '../routing/route-table.ts';
import { operationsOf } from './operations.ts';
import { ownPaths } from './own-operations.ts';

/** The ids that gateways give to requests, and what may follow them. */
const REQUEST = /^\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\/(?:result|events))?(?:\?|$)/;

/** What {@link UndocumentedRequests} reads. */
interface Parts {
  readonly settings: GatewaySettings;
  readonly store: StoreService;
  /** Path of the requests, such as `/requests`. */
  readonly path: string;
  readonly routes: () => RouteContext;
  /** The current document. */
  readonly snapshot: () => ApiSnapshot;
}

/** Routes of stored requests that the document does not have. */
export class UndocumentedRequests {
  constructor(private readonly parts: Parts) {}

  /**
   * Finds the route of a path that the document does not have.
   *
   * @returns undefined if it is not that of a request. Resolves with undefined if the store does not
   * have the request.
   */
  find(url: string): Promise<Match | Problem | undefined> | undefined {
    const { path, store } = this.parts;
    if (!url.startsWith(path)) return undefined;
    const id = REQUEST.exec(url.slice(path.length))?.[1];
    return id === undefined || !store.exists ? undefined : this.lookUp(url, id);
  }

  private async lookUp(url: string, id: string): Promise<Match | Problem | undefined> {
    let caller: string | undefined;
    try {
      caller = (await this.parts.store.use((store) => store.get(id)))?.caller;
    } catch {
      return httpProblem('STORE_UNAVAILABLE', 'The gateway cannot read the request now.');
    }
    if (caller === undefined) return undefined;
    // Requests without a caller are shown to all that know their ids.
    const schemes = caller === '' ? {} : this.schemes();
    if (schemes === undefined) return withoutContract();
    const match = this.table(schemes).find(url);
    return typeof match === 'symbol' ? undefined : match;
  }

  /**
   * The security schemes with which callers may have made requests; undefined if contracts that have
   * not arrived say where their credentials are.
   */
  private schemes(): JsonObject | undefined {
    const { settings, snapshot } = this.parts;
    const declared = (snapshot().document.components?.securitySchemes ?? {}) as unknown as JsonObject;
    const schemes: JsonObject = {};
    for (const [name, { type }] of Object.entries(settings.auth.schemes)) {
      const scheme = declared[name] ?? STANDARD[type];
      if (scheme === undefined) return undefined;
      schemes[name] = scheme;
    }
    return schemes;
  }

  /** Such requests are rare: their routes are made for each. */
  private table(securitySchemes: JsonObject): RouteTable {
    const { path, routes } = this.parts;
    const security: Json[] = [{}, ...Object.keys(securitySchemes).map((name) => ({ [name]: [] }))];
    const paths = ownPaths(path, {}, security.length === 1 ? [] : security);
    const document: JsonObject = {
      openapi: '3.1.0',
      info: { title: 'Stored requests', version: '1' },
      paths,
      components: { securitySchemes },
    };
    const operations = operationsOf(document, paths);
    const snapshot = { revision: 0, document: document as unknown as OpenAPIV3_1.Document, operations };
    return new RouteTable(snapshot, new Map(), routes());
  }
}

/** Schemes whose credentials are always in the header Authorization. */
const STANDARD: Readonly<Partial<Record<SchemeSettings['type'], JsonObject>>> = {
  basic: { type: 'http', scheme: 'basic' },
  jwt: { type: 'http', scheme: 'bearer' },
};

function withoutContract(): Problem {
  const detail =
    'The request is stored. The gateway cannot authenticate its caller until the contract of its operation arrives.';
  return { ...httpProblem('STARTING', detail), dispatched: false };
}
