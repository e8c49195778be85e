/** Which connection of a client gets a request, with fake connections. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientConnection } from '../../../src/client/pending-request.ts';
import { ConnectionSelector } from '../../../src/client/select-connection.ts';

interface Fake {
  readonly endpoint: string;
  inFlight: number;
  suspect: boolean;
  hasCapacity: boolean;
}

function make(count: number): { selector: ConnectionSelector; fakes: Fake[] } {
  const fakes = Array.from({ length: count }, (_, index) => {
    return { endpoint: `router-${index}`, inFlight: 0, suspect: false, hasCapacity: true };
  });
  const selector = new ConnectionSelector();
  selector.connections = fakes as unknown as ClientConnection[];
  return { selector, fakes };
}

/** Selects for this many requests, each of which is settled before the next one. */
function selected(selector: ConnectionSelector, requests: number): (string | undefined)[] {
  return Array.from({ length: requests }, () => selector.select()?.endpoint);
}

describe('selection of a connection', () => {
  it('equal connections take turns, so that at low load each router gets its share', () => {
    const { selector } = make(3);
    const counts = new Map<string | undefined, number>();
    for (const endpoint of selected(selector, 976)) counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
    assert.deepEqual(
      [...counts],
      [
        ['router-0', 326],
        ['router-1', 325],
        ['router-2', 325],
      ],
    );
  });

  it('the connection with the fewest requests in flight comes before the one whose turn it is', () => {
    const { selector, fakes } = make(3);
    fakes[0]!.inFlight = 1;
    fakes[2]!.inFlight = 1;
    assert.deepEqual(selected(selector, 3), ['router-1', 'router-1', 'router-1']);
  });

  it('skips connections without capacity, excluded ones, and suspect ones while there are others', () => {
    const { selector, fakes } = make(3);
    fakes[0]!.hasCapacity = false;
    fakes[1]!.suspect = true;
    assert.deepEqual(selected(selector, 2), ['router-2', 'router-2']);
    assert.equal(selector.select(new Set([selector.connections[2]!]))?.endpoint, 'router-1');
    fakes[1]!.hasCapacity = false;
    fakes[2]!.hasCapacity = false;
    assert.equal(selector.select(), undefined);
  });

  it('keeps selecting when the list of connections becomes shorter', () => {
    const { selector } = make(3);
    assert.deepEqual(selected(selector, 2), ['router-0', 'router-1']);
    selector.connections = selector.connections.slice(0, 1);
    assert.deepEqual(selected(selector, 2), ['router-0', 'router-0']);
    selector.connections = [];
    assert.equal(selector.select(), undefined);
  });
});
