/** The contract checker of `zeromq-gateway dev`, in front of a router. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DevContracts, type Replacing } from '../../../../src/cli/dev/contracts.ts';
import { ApiRegistry } from '../../../../src/openapi/index.ts';

/** A contract with one operation, whose name may have this length. */
function fragmentOf(route: string, event: string, maxLength = 20): object {
  const name = { name: 'name', in: 'query', required: true, schema: { type: 'string', maxLength } };
  const operation = { 'x-event-name': event, parameters: [name], responses: { 200: { description: 'ok' } } };
  return { openapi: '3.1.0', info: { title: 'a', version: '1' }, paths: { [route]: { get: operation } } };
}

const OWN: Replacing = { events: ['a.get'], ownsContract: true, contracts: ['a'] };
const FOREIGN: Replacing = { events: ['a.get'], ownsContract: false, contracts: [] };

function open(): { registry: ApiRegistry; contracts: DevContracts } {
  const registry = new ApiRegistry();
  return { registry, contracts: new DevContracts(registry) };
}

describe('contracts in development', () => {
  it('an incompatible version of its own contract is compatible for a file, and the reason is known', () => {
    const { contracts } = open();
    const [before, after] = [fragmentOf('/a', 'a.get'), fragmentOf('/a', 'a.get', 5)];
    const { result, incompatibility } = contracts.replace(OWN, () => contracts.compare(before, after));
    assert.deepEqual(result, { reason: undefined, changed: ['a.get'] });
    assert.match(incompatibility ?? '', /name/);
  });

  it('a compatible version is compared as by every router', () => {
    const { contracts } = open();
    const [before, after] = [fragmentOf('/a', 'a.get', 5), fragmentOf('/a', 'a.get')];
    const replaced = contracts.replace(OWN, () => contracts.compare(before, after));
    assert.deepEqual(replaced, {
      result: { reason: undefined, changed: ['a.get'] },
      incompatibility: undefined,
    });
  });

  it('an incompatible version stays incompatible for another file, and for workers of other processes', () => {
    const { contracts } = open();
    const compare = () => contracts.compare(fragmentOf('/a', 'a.get'), fragmentOf('/b', 'a.get'));
    assert.match(contracts.replace(FOREIGN, compare).result.reason ?? '', /missing/);
    assert.match(compare().reason ?? '', /missing/);
  });

  it('a contract takes over the routes of a former contract of its file', () => {
    const { registry, contracts } = open();
    contracts.put('a', fragmentOf('/a', 'a.get'));
    contracts.replace(OWN, () => contracts.put('b', fragmentOf('/a', 'b.get')));
    assert.deepEqual(registry.names(), ['b']);
    assert.deepEqual(
      registry.snapshot().operations.map(({ eventName }) => eventName),
      ['b.get'],
    );
  });

  it('a contract that conflicts with that of another file is rejected, and everything stays available', () => {
    const { registry, contracts } = open();
    contracts.put('a', fragmentOf('/a', 'a.get'));
    contracts.put('c', fragmentOf('/c', 'c.get'));
    const put = () => contracts.put('b', fragmentOf('/c', 'b.get'));
    assert.throws(() => contracts.replace(OWN, put), /c already serves GET \/c/);
    assert.throws(put, /c already serves GET \/c/);
    assert.deepEqual(registry.names(), ['a', 'c']);
    assert.ok(!JSON.stringify(registry.snapshot().document).includes('"x-available":false'));
  });
});
