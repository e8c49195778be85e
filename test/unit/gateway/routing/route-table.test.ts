import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SILENT } from '../../../../src/gateway/common/api-source.ts';
import { readSettings } from '../../../../src/gateway/index.ts';
import type { Page } from '../../../../src/gateway/routing/page.ts';
import type { Route, RouteContext } from '../../../../src/gateway/routing/route.ts';
import { RouteTable } from '../../../../src/gateway/routing/route-table.ts';
import { ApiRegistry } from '../../../../src/openapi/index.ts';
import { documentOf, jsonBody } from '../../../helpers/gateway/api.ts';

const context: RouteContext = {
  settings: readSettings({}),
  logger: SILENT,
  baseHeaders: [],
  guardFor: () => undefined,
};
const NO_PAGES = new Map<string, Page>();

function routeOf(table: RouteTable, method: string, path: string): Route {
  const match = table.find(path);
  assert.ok(typeof match === 'object' && match.target.kind === 'path');
  const route = match.target.routes.get(method);
  assert.ok(route);
  return route;
}

describe('a route table that replaces another one', () => {
  const document = (title: object): object =>
    documentOf(
      { '/tasks': { post: jsonBody({ $ref: '#/components/schemas/Task' }) } },
      {
        schemas: {
          Task: { type: 'object', properties: { title, parent: { $ref: '#/components/schemas/Task' } } },
        },
      },
    );
  const registry = new ApiRegistry();
  registry.put('tasks', document({ type: 'string' }));
  const table = new RouteTable(registry.snapshot(), NO_PAGES, context);
  const { binder } = routeOf(table, 'POST', '/tasks');
  const next = (): Route =>
    routeOf(new RouteTable(registry.snapshot(), NO_PAGES, context, table), 'POST', '/tasks');

  it('RouteTable: keeps compiled routes while other contracts change and workers leave', () => {
    registry.put('other', documentOf({ '/other': { get: {} } }));
    registry.setAvailable('tasks', false);
    assert.equal(next().binder, binder);
  });

  it('RouteTable: recompiles changed routes, also when only a component changed', () => {
    registry.put('tasks', document({ type: 'integer' }));
    assert.notEqual(next().binder, binder);
    registry.put('tasks', document({ type: 'string' }));
    assert.equal(next().binder, binder);
  });
});

describe('a route table', () => {
  it('RouteTable: finds routes among a thousand paths', () => {
    const paths = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`/s${n}/{id}`, { get: {} }]));
    const registry = new ApiRegistry();
    const table = new RouteTable(registry.put('many', documentOf(paths)), NO_PAGES, context);
    assert.equal(routeOf(table, 'GET', '/s999/5').operation.path, '/s999/{id}');
    assert.equal(table.find('/s1000/5'), undefined);
  });

  it('RouteTable: gives the pages of the gateway precedence', () => {
    const page: Page = { kind: 'page', path: '/docs', allow: 'GET', serve: () => undefined };
    const registry = new ApiRegistry();
    const snapshot = registry.put('hidden', documentOf({ '/livez': { get: {} }, '/{any}': { get: {} } }));
    const warnings: object[] = [];
    const logger = { ...SILENT, warn: (fields: object) => warnings.push(fields) };
    const table = new RouteTable(snapshot, new Map([['/livez', page]]), { ...context, logger });
    const match = table.find('/livez');
    assert.ok(typeof match === 'object' && match.target === page);
    assert.deepEqual(warnings, [{ path: '/livez' }]);
    assert.equal(routeOf(table, 'GET', '/livez2').operation.path, '/{any}');
  });
});
