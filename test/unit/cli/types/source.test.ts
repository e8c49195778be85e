/** Contracts of a router as the source of types. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readContracts } from '../../../../src/cli/types/source.ts';

const fragment = (path: string, event: string, type: string) => ({
  openapi: '3.1.0',
  info: { title: 'x', version: '1' },
  paths: {
    [path]: {
      get: {
        'x-event-name': event,
        parameters: [{ name: 'a', in: 'query', schema: { type } }],
        responses: { 200: { description: 'OK' } },
      },
    },
  },
});

function read(contracts: Parameters<typeof readContracts>[1]) {
  const warnings: string[] = [];
  const { registry, events } = readContracts('tcp://router:5555', contracts, (text) => warnings.push(text));
  const operations = registry.snapshot().operations.map(({ eventName, path }) => `${eventName} ${path}`);
  return { operations, events: [...events], warnings };
}

describe('contracts of a router', () => {
  it('are merged by name, with events that have no operation', () => {
    const contracts = [
      {
        name: 'b',
        fragment: fragment('/b', 'b.get', 'string'),
        events: ['b.get', 'b.tick'],
        available: false,
      },
      { name: 'a', fragment: fragment('/a', 'a.get', 'string'), available: true },
    ];
    const { operations, events, warnings } = read(contracts);
    assert.deepEqual(operations, ['a.get /a', 'b.get /b']);
    assert.deepEqual(events, ['b.get', 'b.tick']);
    assert.deepEqual(warnings, []);
  });

  it('in conflict are left out, with a warning if a worker serves them', () => {
    const first = { name: 'a', fragment: fragment('/a', 'get', 'string'), available: true };
    const other = (available: boolean) => ({
      name: 'b',
      fragment: fragment('/b', 'get', 'integer'),
      events: ['get'],
      available,
    });
    const served = read([first, other(true)]);
    assert.deepEqual(served.operations, ['get /a']);
    assert.equal(served.warnings.length, 1);
    assert.match(
      served.warnings[0] ?? '',
      /^left out the contract b: .*a already uses the event with different data/,
    );
    assert.deepEqual(read([first, other(false)]).warnings, []);
  });
});
