/** The requests of a client over connections that are none, with a clock that stands still. */
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

  constructor(
    readonly endpoint: string,
    public connected = true,
    public hasCapacity = connected,
  ) {}

  open(): void {
    // It needs no opening.
  }

  send(pending: PendingRequest): void {
    this.sent.push(pending);
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
      maxInFlight,
      endpoints: 'a, b',
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

describe('a request', () => {
  it('goes to the connection with the fewest, and is settled by its reply', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    const { table, outcomes, add, answer } = make([a, b]);
    add('one');
    add('two');
    add('three');
    assert.deepEqual([names(a.sent), names(b.sent)], [['one', 'three'], ['two']]);
    answer(b, b.sent[0]);
    assert.deepEqual([outcomes, table.size, b.inFlight], [['two: ok'], 2, 0]);
  });

  it('says how much time it has left when it is sent', () => {
    const connection = new FakeConnection('a', false);
    const { table, clock, add } = make([connection]);
    add('one', { timeout: 3000 });
    clock.advance(1000);
    connection.up(true);
    table.onReady();
    assert.equal(connection.sent[0]?.message.timeLeft, 2000);
  });

  it('waits for a connection, in turn, and is told when there is none', () => {
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

  it('gives way to requests with more time left once it is late, as long as there are some', () => {
    const connection = new FakeConnection('tcp://x:1', true, false);
    const { table, clock, outcomes, add } = make([connection]);
    const next = (): void => {
      connection.hasCapacity = true;
      const take = connection.send.bind(connection);
      connection.send = (pending) => {
        connection.hasCapacity = false;
        connection.send = take;
        take(pending);
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

  it('takes a reply after the deadline for late, and the word of the peer that settles it for what it is', () => {
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

  it('that was on a lost connection never pretends that nobody ran it', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b', false)];
    const { table, outcomes, add, answer } = make([a, b]);
    for (const name of ['one', 'two']) add(name, { idempotent: true });
    a.up(false);
    b.up(true);
    table.onLost(a);
    answer(b, b.sent[0], failure('NO_WORKER', 'nobody serves it'));
    answer(b, b.sent[1], failure('EXPIRED', 'no worker was free'));
    assert.deepEqual(outcomes, ['one: WORKER_LOST', 'two: TIMEOUT']);
  });

  it('leaves nothing behind when it is cancelled or expires while it waits', () => {
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

  it('waits for room as long as it has time', () => {
    const connection = new FakeConnection('a', true, false);
    const { clock, outcomes, add } = make([connection]);
    add('one', { timeout: 5000 });
    clock.advance(4900);
    assert.deepEqual(outcomes, []);
    clock.advance(200);
    assert.deepEqual(outcomes, ['one: EXPIRED, not dispatched']);
  });

  it('waits no longer for the next connection than for the first when the last one is lost', () => {
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

  it('times out at a peer that says nothing, which is told', () => {
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
    assert.deepEqual(outcomes, ['one: TIMEOUT', 'two: ok'], 'the connection is as good as before');
  });

  it('waits a little for the word of a peer that keeps deadlines itself', () => {
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

  it('is not settled by a part of its reply', () => {
    const connection = new FakeConnection('a');
    const { outcomes, add, answer } = make([connection]);
    const pending = add('one');
    answer(connection, pending, makeReply({ more: true }));
    assert.deepEqual(outcomes, []);
    answer(connection, pending);
    assert.deepEqual(outcomes, ['one: ok']);
  });

  it('is not settled by the reply of a connection that does not have it, or to a forged key', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    const { table, drops, outcomes, add, answer } = make([a, b]);
    const pending = add('one');
    answer(b, pending);
    table.onReply(a, pending.id, (pending.generation % 0x7fffffff) + 1, makeReply());
    assert.deepEqual([outcomes, drops], [[], ['foreign-reply', 'unknown-token']]);
  });

  it('is refused when there are too many, but not before its caller has its handle', async () => {
    const { outcomes, add, table } = make([new FakeConnection('a')], { maxInFlight: 1 });
    add('one');
    add('two');
    const cancelled = add('three');
    assert.deepEqual(outcomes, []);
    table.cancel(cancelled);
    await turn();
    assert.deepEqual(outcomes, ['two: BUSY, not dispatched']);
  });

  it('is given up when it is cancelled: its peer is told, its caller is not', () => {
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

describe('a connection that is lost', () => {
  it('fails what it had, and leaves what others have', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    const { table, outcomes, add, changes } = make([a, b]);
    add('on a');
    add('on b');
    a.up(false);
    table.onLost(a);
    assert.deepEqual([outcomes, table.size, changes()], [['on a: WORKER_LOST'], 1, 1]);
  });

  it('sends idempotent requests again, over another one, once', () => {
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

  it('never lets a request pretend that it was not sent', () => {
    const connection = new FakeConnection('a');
    const { table, clock, outcomes, add } = make([connection]);
    add('one', { idempotent: true });
    connection.up(false);
    table.onLost(connection);
    clock.advance(2100);
    assert.deepEqual(outcomes, ['one: WORKER_LOST'], 'NO_ROUTER would say that it did not run');
  });
});

describe('a peer that shuts down', () => {
  const refusal = makeReply({ code: 'SHUTTING_DOWN', status: 503, dispatched: false });

  it('did not run a request, which goes to another one', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    const { outcomes, add, answer } = make([a, b]);
    const pending = add('one');
    answer(a, pending, refusal);
    assert.deepEqual([names(b.sent), a.hasCapacity, outcomes], [['one'], false, []]);
    answer(b, pending);
    assert.deepEqual(outcomes, ['one: ok']);
  });

  it('may be back in time', () => {
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

  it('leaves a request that was never run', () => {
    const connection = new FakeConnection('a');
    const { table, clock, outcomes, add, answer } = make([connection]);
    answer(connection, add('one'), refusal);
    connection.up(false);
    table.onRetired();
    clock.advance(2100);
    assert.deepEqual(outcomes, ['one: NO_ROUTER, not dispatched']);
  });

  it('is not asked for ever', () => {
    const connection = new FakeConnection('a');
    connection.retire = () => undefined;
    const { outcomes, add, answer } = make([connection]);
    const pending = add('one');
    for (let n = 0; n < 3; n += 1) answer(connection, pending, refusal);
    assert.deepEqual([connection.sent.length, outcomes], [3, ['one: SHUTTING_DOWN, not dispatched']]);
  });
});

describe('a table', () => {
  it('settles everything when it closes, and keeps no timer', () => {
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b', true, false)];
    const { table, clock, outcomes, add } = make([a, b]);
    add('sent');
    a.hasCapacity = false;
    add('waiting');
    table.close('closed');
    assert.deepEqual(outcomes, ['sent: CANCELLED', 'waiting: CANCELLED, not dispatched']);
    assert.deepEqual([table.size, clock.pending], [0, 0]);
  });

  it('is not harmed by a caller that throws', (t) => {
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

  it('takes new requests while it settles lost ones', () => {
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

describe('a router without workers', () => {
  it('is passed over: each of the others is asked once, and the last word counts', () => {
    const connections = [new FakeConnection('a'), new FakeConnection('b'), new FakeConnection('c')];
    const [a, b, c] = connections as [FakeConnection, FakeConnection, FakeConnection];
    const { outcomes, add, answer } = make(connections);
    const none = makeReply({ code: 'NO_WORKER', dispatched: false });
    add('found');
    answer(a, a.sent[0], none);
    answer(b, b.sent[0]);
    add('nowhere');
    answer(a, a.sent[1], none);
    answer(b, b.sent[1], none);
    answer(c, c.sent[0], none);
    assert.deepEqual(outcomes, ['found: ok', 'nowhere: NO_WORKER, not dispatched']);
    assert.deepEqual(
      connections.map(({ inFlight: outstanding }) => outstanding),
      [0, 0, 0],
    );
  });
});

describe('a connection that is not used any more', () => {
  it('gets no new requests, finishes what it has, and says when it is done', () => {
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

  it('was the last one: what waits is told as soon as for a first connection', () => {
    const connection = new FakeConnection('a', true, false);
    const { table, clock, outcomes, add } = make([connection], { connectTimeout: 100 });
    add('waits');
    table.useConnections([]);
    clock.advance(200);
    assert.deepEqual(outcomes, ['waits: NO_ROUTER, not dispatched']);
  });
});

describe('a router that answers nothing', () => {
  /** Longer than a silent connection takes to be suspect. */
  const SILENCE = 3000;

  it('is asked, then suspect: what may run twice goes to another one, the rest waits for the truth', () => {
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

  it('that answers the question is busy, not frozen', () => {
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

  it('is all there is: it keeps what it has, and gets more', () => {
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

  it('that cannot be asked is never suspect', () => {
    const connection = new FakeConnection('a');
    connection.answers = false;
    const { clock, add } = make([connection, new FakeConnection('b')]);
    add('one', { idempotent: true, timeout: 10_000 });
    clock.advance(SILENCE);
    assert.equal(connection.suspect, false);
  });

  it('costs no timer once nothing is in flight', () => {
    const connection = new FakeConnection('a');
    const { clock, add, answer } = make([connection]);
    add('one');
    answer(connection, connection.sent[0]);
    connection.received += 1;
    clock.advance(10_000);
    assert.equal(clock.pending, 0);
  });
});
