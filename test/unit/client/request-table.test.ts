/** The requests of a client, with fake connections and a fake clock. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ClientConnection, PendingRequest } from '../../../src/client/pending-request.ts';
import { RequestTable } from '../../../src/client/request-table.ts';
import { failure, type ReplyMessage } from '../../../src/core/messages/message.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { makeReply, makeRequest } from '../wire/messages.ts';

class FakeConnection implements ClientConnection {
  readonly monitor = undefined;
  inFlight = 0;
  suspect = false;
  enforcesDeadlines = false;
  received = 0;
  probes = 0;
  answers = true;
  readonly sent: PendingRequest[] = [];
  readonly abandoned: PendingRequest[] = [];
  readonly chunks: string[] = [];
  readonly granted: number[] = [];

  constructor(
    readonly endpoint: string,
    public connected = true,
    public hasCapacity = connected,
  ) {}

  open(): void {
    // A fake connection needs no opening.
  }

  send(pending: PendingRequest): void {
    this.sent.push(pending);
  }

  holds(): boolean {
    return false;
  }

  sendChunk(_id: number, _generation: number, body: Buffer, end: boolean): void {
    this.chunks.push(`${body.toString()}${end ? '.' : ''}`);
  }

  sendWindow(_id: number, _generation: number, bytes: number): void {
    this.granted.push(bytes);
  }

  probe(): boolean {
    this.probes += 1;
    return this.answers;
  }

  abandon(pending: PendingRequest): void {
    this.abandoned.push(pending);
  }

  retire(): void {
    this.hasCapacity = false;
  }

  close(): void {
    this.connected = false;
  }

  up(is: boolean): void {
    this.connected = is;
    this.hasCapacity = is;
  }
}

function make(connections: FakeConnection[], { connectTimeout = 2000, maxInFlight = 10 } = {}) {
  const clock = new FakeClock();
  const drops: string[] = [];
  let changes = 0;
  const drop = (cause: string): void => void drops.push(cause);
  const onChange = (): void => {
    changes += 1;
  };
  const idle: string[] = [];
  const table = new RequestTable(
    {
      connectTimeout,
      streamIdleTimeout: 2000,
      maxInFlight,
      endpoints: () => 'a, b',
      onIdle: (connection) => idle.push(connection.endpoint),
      drop,
      clock,
    },
    onChange,
  );
  table.useConnections(connections);
  changes = 0;
  const outcomes: string[] = [];
  const add = (name: string, { timeout = 5000, idempotent = false } = {}): PendingRequest =>
    table.add(makeRequest({ eventName: name, idempotent }), timeout, (reply) => {
      outcomes.push(`${name}: ${reply.code || 'ok'}${reply.dispatched ? '' : ', not dispatched'}`);
    });
  const answer = (
    connection: FakeConnection,
    pending: PendingRequest | undefined,
    reply: ReplyMessage = makeReply(),
  ): void => {
    assert.ok(pending !== undefined);
    table.onReply(connection, pending.id, pending.generation, reply);
  };
  return { table, clock, drops, idle, outcomes, add, answer, changes: () => changes };
}

const names = (list: readonly PendingRequest[]): string[] => list.map((pending) => pending.message.eventName);

describe('requests of a client', () => {
  it('RequestTable: sends on the connection with the fewest requests in flight, and settles with the reply', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    const { table, outcomes, add, answer } = make([a, b]);
    add('one');
    add('two');
    add('three');
    assert.deepEqual([names(a.sent), names(b.sent)], [['one', 'three'], ['two']]);
    answer(b, b.sent[0]);
    assert.deepEqual([outcomes, table.size, b.inFlight], [['two: ok'], 2, 0]);
  });

  it('RequestTable: writes the remaining time into a request when it is sent', () => {
    const connection = new FakeConnection('a', false);
    const { table, clock, add } = make([connection]);
    add('one', { timeout: 3000 });
    clock.advance(1000);
    connection.up(true);
    table.onReady();
    assert.equal(connection.sent[0]?.message.timeLeft, 2000);
  });

  it('RequestTable: keeps requests in order until a connection is established, and fails them after connectTimeout', () => {
    const connection = new FakeConnection('tcp://x:1', false);
    const { table, clock, outcomes, add } = make([connection]);
    add('one');
    clock.advance(1000);
    add('two');
    clock.advance(1010);
    assert.deepEqual(outcomes, ['one: NO_ROUTER, not dispatched']);
    connection.up(true);
    table.onReady();
    add('three');
    assert.deepEqual(names(connection.sent), ['two', 'three']);
  });

  it('RequestTable: serves requests with enough time left before late ones', () => {
    const connection = new FakeConnection('tcp://x:1', true, false);
    const { table, clock, outcomes, add } = make([connection]);
    const next = (): void => {
      connection.hasCapacity = true;
      const send = connection.send.bind(connection);
      connection.send = (pending) => {
        connection.hasCapacity = false;
        connection.send = send;
        send(pending);
      };
      table.onReady();
    };
    for (const name of ['early', 'first', 'second', 'third']) {
      add(name, { timeout: 1000 });
    }
    next();
    clock.advance(700);
    add('fresh', { timeout: 1000 });
    clock.advance(70);
    next();
    assert.deepEqual(names(connection.sent), ['early', 'fresh']);
    next();
    assert.deepEqual(names(connection.sent), ['early', 'fresh', 'third']);
    clock.advance(300);
    assert.deepEqual(
      outcomes.filter((outcome) => outcome.includes('EXPIRED')),
      ['first: EXPIRED, not dispatched', 'second: EXPIRED, not dispatched'],
    );
  });

  it('RequestTable: drops a reply after the deadline, but accepts an outcome from the peer', () => {
    const connection = new FakeConnection('a');
    connection.enforcesDeadlines = true;
    const { clock, drops, outcomes, add, answer } = make([connection]);
    for (const name of ['in time', 'late', 'refused', 'expired']) add(name, { timeout: 1000 });
    clock.advance(999);
    answer(connection, connection.sent[0]);
    clock.advance(50);
    answer(connection, connection.sent[1]);
    answer(connection, connection.sent[2], makeReply({ code: 'MY_OWN', status: 409 }));
    answer(connection, connection.sent[3], failure('EXPIRED', 'no worker was free'));
    assert.deepEqual(outcomes, [
      'in time: ok',
      'late: TIMEOUT',
      'refused: TIMEOUT',
      'expired: EXPIRED, not dispatched',
    ]);
    assert.deepEqual(drops, ['late-reply', 'late-reply']);
  });

  it('RequestTable: reports a request from a lost connection as possibly run', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b', false)];
    const { table, outcomes, add, answer } = make([a, b]);
    for (const name of ['one', 'two']) add(name, { idempotent: true });
    a.up(false);
    b.up(true);
    table.onLost(a);
    answer(b, b.sent[0], failure('NO_WORKER', 'no worker serves the event'));
    answer(b, b.sent[1], failure('EXPIRED', 'no worker was free'));
    assert.deepEqual(outcomes, ['one: WORKER_LOST', 'two: TIMEOUT']);
  });

  it('RequestTable: keeps nothing of a waiting request that was cancelled or expired', () => {
    const connection = new FakeConnection('a', false);
    const { table, clock, outcomes, add } = make([connection], { maxInFlight: 100 });
    const cancelled = Array.from({ length: 50 }, (_, n) => add(`cancelled ${n}`));
    const kept = add('kept', { timeout: 60_000 });
    for (let n = 0; n < 20; n += 1) add(`expired ${n}`, { timeout: 100 });
    for (const pending of cancelled) assert.ok(table.cancel(pending));
    clock.advance(200);
    assert.equal(table.size, 1);
    assert.deepEqual(
      new Set(outcomes.map((outcome) => outcome.replace(/\d+/, 'n'))),
      new Set(['expired n: NO_ROUTER, not dispatched']),
    );
    connection.up(true);
    table.onReady();
    assert.deepEqual(connection.sent, [kept]);
  });

  it('RequestTable: keeps a request until a connection has capacity or the deadline passes', () => {
    const connection = new FakeConnection('a', true, false);
    const { clock, outcomes, add } = make([connection]);
    add('one', { timeout: 5000 });
    clock.advance(4900);
    assert.deepEqual(outcomes, []);
    clock.advance(200);
    assert.deepEqual(outcomes, ['one: EXPIRED, not dispatched']);
  });

  it('RequestTable: waits at most connectTimeout after the last connection is lost', () => {
    const connection = new FakeConnection('a', true, false);
    const { table, clock, outcomes, add } = make([connection]);
    add('one', { timeout: 60_000 });
    clock.advance(10_000);
    connection.up(false);
    table.onLost(connection);
    clock.advance(1990);
    assert.deepEqual(outcomes, []);
    clock.advance(20);
    assert.deepEqual(outcomes, ['one: NO_ROUTER, not dispatched']);
  });

  it('RequestTable: times out a request without a reply, and cancels it at the peer', () => {
    const connection = new FakeConnection('a');
    const { clock, drops, outcomes, add, answer, table } = make([connection]);
    const pending = add('one', { timeout: 1000 });
    const { id, generation } = pending;
    clock.advance(1010);
    assert.deepEqual([outcomes, connection.abandoned, connection.inFlight], [['one: TIMEOUT'], [pending], 0]);
    table.onReply(connection, id, generation, makeReply());
    assert.deepEqual(drops, ['late-reply']);
    add('two');
    answer(connection, connection.sent[1]);
    assert.deepEqual(outcomes, ['one: TIMEOUT', 'two: ok'], 'the connection is still in use');
  });

  it('RequestTable: waits briefly after the deadline for the outcome of a peer that enforces deadlines', () => {
    const connection = new FakeConnection('a');
    connection.enforcesDeadlines = true;
    const { clock, outcomes, add, answer } = make([connection]);
    const pending = add('one', { timeout: 1000 });
    clock.advance(1050);
    answer(connection, pending, makeReply({ code: 'EXPIRED', dispatched: false }));
    add('two', { timeout: 1000 });
    clock.advance(1200);
    assert.deepEqual(outcomes, ['one: EXPIRED, not dispatched', 'two: TIMEOUT']);
  });

  it('RequestTable: does not settle a request with an intermediate reply', () => {
    const connection = new FakeConnection('a');
    const { outcomes, add, answer } = make([connection]);
    const pending = add('one');
    answer(connection, pending, makeReply({ more: true }));
    assert.deepEqual(outcomes, []);
    answer(connection, pending);
    assert.deepEqual(outcomes, ['one: ok']);
  });

  it('RequestTable: drops replies from another connection or with a forged key', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    const { table, drops, outcomes, add, answer } = make([a, b]);
    const pending = add('one');
    answer(b, pending);
    table.onReply(a, pending.id, (pending.generation % 0x7fffffff) + 1, makeReply());
    assert.deepEqual([outcomes, drops], [[], ['foreign-reply', 'unknown-token']]);
  });

  it('RequestTable: rejects requests beyond the maximum, after the caller has received the handle', async () => {
    const { outcomes, add, table } = make([new FakeConnection('a')], { maxInFlight: 1 });
    add('one');
    add('two');
    const cancelled = add('three');
    assert.deepEqual(outcomes, []);
    table.cancel(cancelled);
    await turn();
    assert.deepEqual(outcomes, ['two: BUSY, not dispatched']);
  });

  it('RequestTable: cancels a request at its peer without calling settle', () => {
    const connection = new FakeConnection('a');
    const { table, outcomes, add } = make([connection]);
    const pending = add('one');
    assert.equal(table.cancel(pending), true);
    assert.equal(table.cancel(pending), false);
    assert.deepEqual(
      [outcomes, connection.abandoned, table.size, connection.inFlight],
      [[], [pending], 0, 0],
    );
  });
});

describe('loss of a connection', () => {
  it('RequestTable: fails the requests of a lost connection and no others', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    const { table, outcomes, add, changes } = make([a, b]);
    add('on a');
    add('on b');
    a.up(false);
    table.onLost(a);
    assert.deepEqual([outcomes, table.size, changes()], [['on a: WORKER_LOST'], 1, 1]);
  });

  it('RequestTable: sends idempotent requests once more on another connection', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    const { table, outcomes, add } = make([a, b]);
    add('one', { idempotent: true });
    a.up(false);
    table.onLost(a);
    assert.deepEqual(names(b.sent), ['one']);
    b.up(false);
    table.onLost(b);
    assert.deepEqual(outcomes, ['one: WORKER_LOST']);
  });

  it('RequestTable: reports requests that were sent before as possibly run', () => {
    const connection = new FakeConnection('a');
    const { table, clock, outcomes, add } = make([connection]);
    add('one', { idempotent: true });
    connection.up(false);
    table.onLost(connection);
    clock.advance(2100);
    assert.deepEqual(outcomes, ['one: WORKER_LOST'], 'NO_ROUTER would mean that it did not run');
  });
});

describe('shutdown of a peer', () => {
  const refusal = makeReply({ code: 'SHUTTING_DOWN', status: 503, dispatched: false });

  it('RequestTable: sends a refused request to another peer', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    const { outcomes, add, answer } = make([a, b]);
    const pending = add('one');
    answer(a, pending, refusal);
    assert.deepEqual([names(b.sent), a.hasCapacity, outcomes], [['one'], false, []]);
    answer(b, pending);
    assert.deepEqual(outcomes, ['one: ok']);
  });

  it('RequestTable: sends a refused request to the same peer if it returns in time', () => {
    const connection = new FakeConnection('a');
    const { table, clock, outcomes, add, answer } = make([connection]);
    const pending = add('one');
    answer(connection, pending, refusal);
    clock.advance(1000);
    connection.up(true);
    table.onReady();
    answer(connection, pending);
    assert.deepEqual(outcomes, ['one: ok']);
  });

  it('RequestTable: reports a refused request that no other peer accepts as not run', () => {
    const connection = new FakeConnection('a');
    const { table, clock, outcomes, add, answer } = make([connection]);
    answer(connection, add('one'), refusal);
    connection.up(false);
    table.onRetired();
    clock.advance(2100);
    assert.deepEqual(outcomes, ['one: NO_ROUTER, not dispatched']);
  });

  it('RequestTable: gives up after three refusals', () => {
    const connection = new FakeConnection('a');
    connection.retire = () => undefined;
    const { outcomes, add, answer } = make([connection]);
    const pending = add('one');
    for (let n = 0; n < 3; n += 1) answer(connection, pending, refusal);
    assert.deepEqual([connection.sent.length, outcomes], [3, ['one: SHUTTING_DOWN, not dispatched']]);
  });
});

describe('table of requests', () => {
  it('RequestTable: settles all requests when it closes, and leaves no timer', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b', true, false)];
    const { table, clock, outcomes, add } = make([a, b]);
    add('sent');
    a.hasCapacity = false;
    add('waiting');
    table.close('closed');
    assert.deepEqual(outcomes, ['sent: CANCELLED', 'waiting: CANCELLED, not dispatched']);
    assert.deepEqual([table.size, clock.pending], [0, 0]);
  });

  it('RequestTable: keeps working after a settle callback throws', (t) => {
    const connection = new FakeConnection('a');
    const { table, outcomes, add, answer } = make([connection]);
    const thrown: unknown[] = [];
    t.mock.method(process, 'nextTick', (raise: () => void) => {
      try {
        raise();
      } catch (error) {
        thrown.push(error);
      }
    });
    const bad = table.add(makeRequest(), 1000, () => {
      throw new Error('planted');
    });
    add('good');
    answer(connection, bad);
    answer(connection, connection.sent[1]);
    assert.deepEqual([outcomes, thrown.map(String)], [['good: ok'], ['Error: planted']]);
  });

  it('RequestTable: accepts new requests while it settles lost ones', () => {
    const connection = new FakeConnection('a');
    const { table, outcomes, add } = make([connection]);
    table.add(makeRequest(), 5000, () => void add('again'));
    connection.up(false);
    table.onLost(connection);
    assert.equal(table.size, 1);
    connection.up(true);
    table.onReady();
    assert.deepEqual([names(connection.sent), outcomes], [['echo', 'again'], []]);
  });
});

describe('routers without workers', () => {
  it('RequestTable: tries each other router once after NO_WORKER, and reports the last outcome', () => {
    const connections = [new FakeConnection('a'), new FakeConnection('b'), new FakeConnection('c')];
    const [a, b, c] = connections as [FakeConnection, FakeConnection, FakeConnection];
    const { outcomes, add, answer } = make(connections);
    const none = makeReply({ code: 'NO_WORKER', dispatched: false });
    add('found');
    answer(a, a.sent[0], none);
    answer(b, b.sent[0]);
    add('nowhere');
    answer(c, c.sent[0], none);
    answer(a, a.sent[1], none);
    answer(b, b.sent[1], none);
    assert.deepEqual(outcomes, ['found: ok', 'nowhere: NO_WORKER, not dispatched']);
    assert.deepEqual(
      connections.map(({ inFlight }) => inFlight),
      [0, 0, 0],
    );
  });
});

describe('connections that drain', () => {
  it('RequestTable: sends nothing on a draining connection, and reports when it is idle', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    const { table, outcomes, idle, add, answer } = make([a, b]);
    add('on a');
    table.useConnections([b]);
    add('one');
    add('two');
    assert.deepEqual([names(a.sent), names(b.sent)], [['on a'], ['one', 'two']]);
    answer(a, a.sent[0]);
    assert.deepEqual([outcomes, idle], [['on a: ok'], ['a']]);
  });

  it('RequestTable: fails waiting requests after connectTimeout if the last connection drains', () => {
    const connection = new FakeConnection('a', true, false);
    const { table, clock, outcomes, add } = make([connection], { connectTimeout: 100 });
    add('waits');
    table.useConnections([]);
    clock.advance(200);
    assert.deepEqual(outcomes, ['waits: NO_ROUTER, not dispatched']);
  });
});

describe('peers that do not answer', () => {
  /** Longer than the time after which a silent connection is suspect. */
  const SILENCE = 3000;

  it('RequestTable: probes a silent peer, then sends its idempotent requests elsewhere', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b', false)];
    const { table, clock, outcomes, add, answer } = make([a, b]);
    add('twice', { idempotent: true, timeout: 10_000 });
    add('once', { timeout: 10_000 });
    b.up(true);
    table.onReady();
    clock.advance(SILENCE);
    assert.deepEqual(
      [a.probes, a.suspect, names(b.sent), names(a.abandoned)],
      [1, true, ['twice'], ['twice']],
    );
    add('later');
    assert.deepEqual(names(b.sent), ['twice', 'later']);
    answer(b, b.sent[0]);
    a.received += 1;
    answer(a, a.sent[1]);
    clock.advance(SILENCE);
    assert.deepEqual([outcomes, a.suspect], [['twice: ok', 'once: ok'], false]);
  });

  it('RequestTable: sends requests of a silent peer elsewhere sooner while another peer answers', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    const { clock, add } = make([a, b]);
    add('stuck', { idempotent: true, timeout: 10_000 });
    add('other', { timeout: 10_000 });
    for (let check = 0; check < 4; check += 1) {
      b.received += 1;
      clock.advance(250);
    }
    assert.deepEqual([a.probes, a.suspect, b.suspect], [1, true, false]);
    assert.deepEqual(names(b.sent), ['other', 'stuck']);
  });

  it('RequestTable: does not suspect a peer that answers the probe', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b', false)];
    const { clock, add } = make([a, b]);
    add('slow', { idempotent: true, timeout: 60_000 });
    b.up(true);
    for (let round = 0; round < 10; round += 1) {
      clock.advance(1000);
      a.received += a.probes;
      a.probes = 0;
    }
    assert.deepEqual([a.suspect, names(b.sent)], [false, []]);
  });

  it('RequestTable: keeps using a suspect peer if there is no other', () => {
    const connection = new FakeConnection('a');
    const { clock, add } = make([connection]);
    add('one', { idempotent: true, timeout: 10_000 });
    clock.advance(SILENCE);
    add('two');
    assert.deepEqual(
      [connection.suspect, names(connection.sent), names(connection.abandoned)],
      [true, ['one', 'two'], []],
    );
  });

  it('RequestTable: does not suspect a peer that cannot be probed', () => {
    const connection = new FakeConnection('a');
    connection.answers = false;
    const { clock, add } = make([connection, new FakeConnection('b')]);
    add('one', { idempotent: true, timeout: 10_000 });
    clock.advance(SILENCE);
    assert.equal(connection.suspect, false);
  });

  it('RequestTable: checks peers only while requests are in flight', () => {
    const connection = new FakeConnection('a');
    const { clock, add, answer } = make([connection]);
    add('one');
    answer(connection, connection.sent[0]);
    connection.received += 1;
    clock.advance(10_000);
    assert.equal(clock.pending, 0);
  });
});
