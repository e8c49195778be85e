/** When collected records are sent. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { RecordSender } from '../../../../src/transport/link/record-sender.ts';
import { PackedBatch } from '../../../../src/wire/packed-batch.ts';

/** Notes the number of records of each message. */
class Sender extends RecordSender {
  readonly sent: number[] = [];

  constructor() {
    super(new PackedBatch(), 1000);
  }

  protected override sendBatch(): void {
    this.sent.push(this.batch.size);
    this.batch.take();
  }

  /** Adds so many records in one turn, and returns the messages sent within it. */
  async inOneTurn(records: number): Promise<readonly number[]> {
    const before = this.sent.length;
    for (let id = 0; id < records; id += 1) this.addCancel(id, 1);
    const within = this.sent.slice(before);
    await turn();
    await turn();
    return within;
  }
}

describe('RecordSender', () => {
  it('RecordSender: sends each record at once while they come one per turn', async () => {
    const sender = new Sender();
    assert.deepEqual(await sender.inOneTurn(1), [], 'the first may be one of many');
    assert.deepEqual(await sender.inOneTurn(1), [1]);
    assert.deepEqual(await sender.inOneTurn(1), [1]);
    assert.deepEqual(sender.sent, [1, 1, 1]);
  });

  it('RecordSender: collects the records of a turn when the turn before had several', async () => {
    const sender = new Sender();
    assert.deepEqual(await sender.inOneTurn(3), []);
    assert.deepEqual(await sender.inOneTurn(4), []);
    assert.deepEqual(sender.sent, [3, 4]);
  });

  it('RecordSender: sends at most one record before the others of a turn, then collects again', async () => {
    const sender = new Sender();
    await sender.inOneTurn(1);
    assert.deepEqual(await sender.inOneTurn(5), [1]);
    assert.deepEqual(await sender.inOneTurn(2), []);
    assert.deepEqual(await sender.inOneTurn(1), []);
    assert.deepEqual(await sender.inOneTurn(1), [1]);
    assert.deepEqual(sender.sent, [1, 1, 4, 2, 1, 1]);
  });

  it('RecordSender: flushes before the end of the turn what was not sent at once', async () => {
    const sender = new Sender();
    sender.addCancel(1, 1);
    sender.flush();
    assert.deepEqual(sender.sent, [1]);
    await turn();
    await turn();
    assert.deepEqual(sender.sent, [1]);
  });
});
