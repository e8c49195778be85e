/** The sample worker in Python. The test takes the part of both kinds of router. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Dealer, Router } from 'zeromq';
import { NEEDS_CLASSIC, PYTHON } from '../helpers/classic.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { type RunningProcess, startProcess } from '../helpers/processes.ts';
import { Scope } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

failOnLeftovers();

const SCRIPT = join(import.meta.dirname, '../../workers/python/inventory_classic.py');

describe('workers/python/inventory_classic.py', NEEDS_CLASSIC, () => {
  const scope = new Scope();
  const backend = new Dealer({ linger: 0, receiveTimeout: PATIENCE });
  const beats = new Router({ linger: 0, receiveTimeout: PATIENCE });
  let worker: RunningProcess;

  before(async () => {
    scope.after(() => backend.close());
    scope.after(() => beats.close());
    await backend.bind('tcp://127.0.0.1:*');
    await beats.bind('tcp://127.0.0.1:*');
    const links = ['--router', backend.lastEndpoint ?? '', '--heartbeat', beats.lastEndpoint ?? ''];
    worker = startProcess(scope, PYTHON ?? '', [SCRIPT, ...links], {
      env: { ZMQ_GATEWAY_DATA: tempFolder(scope) },
    });
    await worker.waitForLine(/ready/);
  });
  after(() => scope.close());

  /** Returns the data of the reply, and its metadata if there is any. */
  const call = async (name: string, data: unknown): Promise<[unknown, unknown?]> => {
    const raw = typeof data === 'string' ? data : JSON.stringify(data);
    await backend.send(['caller', '', name, raw, '{"v":1,"id":"r-1"}']);
    const [address, delimiter, event, ...rest] = await backend.receive();
    assert.deepEqual([address, delimiter, event].map(String), ['caller', '', name]);
    return rest.map((frame) => JSON.parse(frame.toString()) as unknown) as [unknown, unknown?];
  };

  it('inventory_classic.py: reads and lists stock', async () => {
    assert.deepEqual(await call('inventory.get', { sku: 'bolt-m6' }), [{ sku: 'bolt-m6', quantity: 1200 }]);
    assert.deepEqual(await call('inventory.list', { below: 100 }), [
      { items: [{ sku: 'washer-6', quantity: 40 }] },
    ]);
  });

  it('inventory_classic.py: adjusts stock, never below zero', async () => {
    assert.deepEqual(await call('inventory.adjust', { sku: 'nut-m6', by: -50 }), [
      { sku: 'nut-m6', quantity: 900 },
    ]);
    const [data, metadata] = await call('inventory.adjust', { sku: 'nut-m6', by: -901 });
    assert.deepEqual(data, { error: { code: 'OUT_OF_STOCK', message: 'only 900 of nut-m6 in stock' } });
    assert.deepEqual(metadata, { status: 409, code: 'OUT_OF_STOCK' });
    assert.deepEqual(await call('inventory.get', { sku: 'nut-m6' }), [{ sku: 'nut-m6', quantity: 900 }]);
  });

  it('inventory_classic.py: reports invalid requests, drops other messages, and continues', async () => {
    assert.deepEqual((await call('inventory.get', { sku: 'none' }))[1], {
      status: 404,
      code: 'ITEM_NOT_FOUND',
    });
    assert.deepEqual((await call('inventory.burn', {}))[1], { status: 501, code: 'NO_HANDLER' });
    for (const data of ['{"broken', {}, [], 7]) {
      assert.deepEqual((await call('inventory.get', data))[1], { status: 500, code: 'HANDLER_ERROR' });
    }
    await backend.send(['', 'too few', '{}']);
    assert.deepEqual(await call('inventory.get', { sku: 'bolt-m6' }), [{ sku: 'bolt-m6', quantity: 1200 }]);
  });

  it('inventory_classic.py: sends heartbeats in the form of the original', async () => {
    const [, ...frames] = await beats.receive();
    assert.deepEqual(frames.slice(0, 2).map(String), ['', 'heartbeat']);
    const beat = JSON.parse(String(frames[2])) as Record<string, unknown>;
    assert.deepEqual(Object.keys(beat).sort(), [
      'last_heartbeat',
      'missed_count',
      'node_id',
      'node_type',
      'session_id',
    ]);
    assert.ok(Math.abs(Date.now() - Number(beat['last_heartbeat'])) < 60_000);
  });

  it('inventory_classic.py: ends on SIGTERM with exit code 0', async () => {
    worker.kill('SIGTERM');
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
  });
});
