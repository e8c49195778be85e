/** One line for each change of what a gateway serves. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logChanges } from '../../../../src/cli/nodes/change-log.ts';
import { painter } from '../../../../src/cli/terminal/colours.ts';
import { terminalLog } from '../../../../src/cli/terminal/terminal-log.ts';
import { ApiRegistry } from '../../../../src/openapi/index.ts';

function fragment(...paths: string[]): unknown {
  const operation = (path: string) => ({
    get: {
      'x-event-name': `get${path.replace(/\W/g, '.')}`,
      ...(path.includes('{sku}') && {
        parameters: [{ name: 'sku', in: 'path', required: true, schema: { type: 'string' } }],
      }),
      responses: { 200: { description: 'found' } },
    },
  });
  return {
    openapi: '3.1.0',
    info: { title: 'stock', version: '1' },
    paths: Object.fromEntries(paths.map((path) => [path, operation(path)])),
  };
}

const worker = { kind: 'worker' } as const;

describe('change log', () => {
  it('change log: has a line for added, removed and unavailable routes', () => {
    const lines: string[] = [];
    const registry = new ApiRegistry();
    const log = terminalLog({ write: () => undefined, paint: painter(), level: 'info' });
    const write = (line: string): void => void lines.push(line);
    const stop = logChanges(registry, { logger: log.logger, write, paint: painter() });
    registry.put('stock', fragment('/stock/{sku}'), worker);
    registry.put('stock', fragment('/stock/{sku}', '/stock'), worker);
    registry.setAvailable('stock', false);
    registry.setAvailable('stock', true);
    registry.remove('stock');
    registry.put('early', fragment('/early'), { ...worker, available: false });
    stop();
    registry.put('later', fragment('/later'), worker);
    assert.deepEqual(lines, [
      '+ stock: GET /stock/{sku}',
      '+ stock: GET /stock',
      '! stock: no worker connected, GET /stock/{sku}, GET /stock',
      '+ stock: a worker is connected, GET /stock/{sku}, GET /stock',
      '- stock: GET /stock/{sku}, GET /stock',
      '! early: no worker connected, GET /early',
    ]);
  });

  it('change log: names five operations and counts the others', () => {
    const lines: string[] = [];
    const registry = new ApiRegistry();
    const log = terminalLog({ write: () => undefined, paint: painter(), level: 'info' });
    const write = (line: string): void => void lines.push(line);
    const stop = logChanges(registry, { logger: log.logger, write, paint: painter() });
    registry.put('many', fragment('/1', '/2', '/3', '/4', '/5', '/6', '/7'), worker);
    stop();
    assert.deepEqual(lines, ['+ many: GET /1, GET /2, GET /3, GET /4, GET /5, 2 more']);
  });

  it('change log: without a terminal, the logger receives the fields', () => {
    const lines: string[] = [];
    const registry = new ApiRegistry();
    const { logger } = terminalLog({
      write: (line) => void lines.push(line),
      paint: painter(),
      level: 'info',
    });
    const stop = logChanges(registry, { logger, write: undefined, paint: painter() });
    registry.put('stock', fragment('/stock'), worker);
    registry.setAvailable('stock', false);
    stop();
    assert.deepEqual(lines, [
      "info routes added (source: stock, operations: [ 'GET /stock' ])",
      "warn no worker serves the routes: requests receive status 503 (source: stock, operations: [ 'GET /stock' ])",
    ]);
  });
});
