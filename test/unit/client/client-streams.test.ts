/** Streams of a client's requests, with a fake connection and a fake clock. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientConnection, PendingRequest } from '../../../src/client/pending-request.ts';
import { RequestTable } from '../../../src/client/request-table.ts';
import { failure, type ReplyMessage } from '../../../src/core/messages/message.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { makeReply, makeRequest } from '../wire/messages.ts';

class Connection implements ClientConnection {
  readonly monitor = undefined;
  inFlight = 0;
  suspect = false;
  readonly enforcesDeadlines = true;
  readonly received = 0;
  connected = true;
  readonly sent: PendingRequest[] = [];
  readonly log: string[] = [];
  held: PendingRequest | undefined;

  constructor(readonly endpoint: string) {}

  get hasCapacity(): boolean {
    return this.connected;
  }

  open(): void {
    // A fake connection needs no opening.
  }

  send(pending: PendingRequest): void {
    this.sent.push(pending);
  }

  holds(pending: PendingRequest): boolean {
    return this.held === pending;
  }

  sendChunk(_id: number, _generation: number, body: Buffer, end: boolean): void {
    this.log.push(`${body.toString()}${end ? '.' : ''}`);
  }

  sendWindow(_id: number, _generation: number, bytes: number): void {
    this.log.push(`window ${bytes}`);
  }

  probe(): boolean {
    return true;
  }

  abandon(_pending: PendingRequest, why: string): void {
    this.log.push(why);
  }

  retire(): void {
    this.connected = false;
  }

  close(): void {
    this.connected = false;
  }
}

function make({ window = 10, upload = false, idempotent = false } = {}) {
  const clock = new FakeClock();
  const drops: string[] = [];
  const limits = { connectTimeout: 2000, maxInFlight: 10, streamIdleTimeout: 3000 };
  const drop = (cause: string): void => void drops.push(cause);
  const table = new RequestTable({ ...limits, endpoints: () => 'tcp://a', drop, clock }, () => undefined);
  const [first, second] = [new Connection('tcp://a'), new Connection('tcp://b')];
  table.useConnections([first, second]);
  const got: string[] = [];
  const granted: number[] = [];
  const port = {
    window,
    upload,
    onChunk: ({ body }: ReplyMessage) => got.push(body.toString()),
    onWindow: (bytes: number) => granted.push(bytes),
  };
  const message = { ...makeRequest({ idempotent }), window };
  const settle = ({ code, body }: ReplyMessage): void => void got.push(`${code || body.toString()}.`);
  const pending = table.add(message, 1000, settle, port);
  const connection = first.sent.length > 0 ? first : second;
  const other = connection === first ? second : first;
  const reply = (members: Partial<ReplyMessage>): void =>
    table.onReply(connection, pending.id, pending.generation, makeReply(members));
  const chunk = (text: string, contentType = ''): void =>
    reply({ more: true, body: Buffer.from(text), contentType });
  const lose = (): void => {
    connection.connected = false;
    table.onLost(connection);
  };
  return { clock, drops, table, pending, connection, other, got, granted, reply, chunk, lose };
}

describe('streams of a client', () => {
  it('client stream: chunks go to the port, the last part settles, and grants go to the peer', () => {
    const { table, pending, connection, got, reply, chunk } = make();
    chunk('a');
    table.streams.grant(pending, 5);
    chunk('b');
    reply({ body: Buffer.from('c') });
    reply({ body: Buffer.from('again') });
    assert.deepEqual(got, ['a', 'b', 'c.']);
    assert.deepEqual([connection.log, table.size], [['window 5'], 0]);
    table.streams.grant(pending, 5);
    assert.deepEqual(connection.log, ['window 5'], 'a settled request grants nothing');
  });

  it('client stream: a peer that exceeds the window is cut', () => {
    const { connection, drops, got, chunk } = make({ window: 2 });
    chunk('ab');
    chunk('c');
    assert.deepEqual(
      [got, drops, connection.log],
      [['ab', 'BAD_REPLY.'], ['window-exceeded'], ['cancelled']],
    );
  });

  it('client stream: the timeout ends with the first chunk, then silence counts', () => {
    const { clock, connection, got, chunk } = make({ window: 100 });
    for (const text of 'abc') {
      clock.advance(900);
      chunk(text);
      clock.advance(900);
    }
    assert.deepEqual(got, ['a', 'b', 'c']);
    clock.advance(3200);
    assert.deepEqual([got.at(-1), connection.log], ['TIMEOUT.', ['expired']]);
  });

  it('client stream: server-sent events may be silent', () => {
    const { clock, got, chunk } = make({ window: 100 });
    chunk('a', 'text/event-stream');
    clock.advance(60_000);
    assert.deepEqual(got, ['a']);
  });

  it('client stream: is sent again only before its first chunk', () => {
    const before = make({ idempotent: true });
    before.lose();
    assert.equal(before.other.sent.length, 1);
    const after = make({ idempotent: true });
    after.chunk('a');
    after.lose();
    assert.deepEqual([after.other.sent.length, after.got], [0, ['a', 'WORKER_LOST.']]);
  });

  it('client stream: a request that its connection held was not sent, and goes elsewhere', () => {
    const { connection, other, pending, got, lose } = make();
    connection.held = pending;
    lose();
    assert.deepEqual([other.sent, got], [[pending], []]);
  });

  it('client stream: no other router is tried after a chunk', () => {
    const { other, got, chunk, table, pending, connection } = make();
    chunk('a');
    table.onReply(connection, pending.id, pending.generation, failure('NO_WORKER', 'x'));
    assert.deepEqual([other.sent.length, got], [0, ['a', 'NO_WORKER.']]);
  });

  it('client upload: chunks are sent within the grants of the peer', () => {
    const { table, pending, connection, granted, got } = make({ upload: true });
    table.onWindow(connection, pending.id, pending.generation, 3);
    table.streams.sendChunk(pending, Buffer.from('abc'), false);
    table.streams.sendChunk(pending, Buffer.from('d'), true);
    assert.deepEqual([granted, connection.log, got], [[3], ['abc', 'd.'], []]);
  });

  it('client upload: a caller that sends more than was granted gets a failure', () => {
    const { table, pending, connection, got } = make({ upload: true });
    table.streams.sendChunk(pending, Buffer.from('abc'), false);
    assert.deepEqual([got, connection.log], [['MALFORMED_MESSAGE.'], ['cancelled']]);
  });

  it('client upload: is sent again until a chunk was sent, and held chunks follow', () => {
    const { table, pending, connection, other, granted, lose, got } = make({
      upload: true,
      idempotent: true,
    });
    table.onWindow(connection, pending.id, pending.generation, 10);
    lose();
    assert.equal(other.sent.length, 1);
    table.streams.sendChunk(pending, Buffer.from('abc'), false);
    assert.deepEqual(other.log, []);
    table.onWindow(other, pending.id, pending.generation, 10);
    assert.deepEqual([other.log, granted], [['abc'], [10]]);
    other.connected = false;
    table.onLost(other);
    assert.deepEqual(got, ['WORKER_LOST.']);
  });

  it('client stream: cancel reaches the peer, and nothing follows', () => {
    const { table, pending, connection, got, chunk } = make();
    chunk('a');
    table.cancel(pending);
    chunk('b');
    assert.deepEqual([got, connection.log], [['a'], ['cancelled']]);
  });
});
