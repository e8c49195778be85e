import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Observer } from 'zeromq';
import { ZeroMQSocketMonitor } from '../../../../src/transport/libzmq/socket-monitor.ts';
import { ConnectionWatch } from '../../../../src/transport/socket/connection-watch.ts';

function watched() {
  const raw = new EventEmitter();
  const monitor = new ZeroMQSocketMonitor(raw as unknown as Observer);
  const socket = { monitor, received: 0, renewing: false };
  const reports: string[] = [];
  const emitter = new EventEmitter();
  const report = (what: string): void => {
    reports.push(what);
    emitter.emit(what);
  };
  new ConnectionWatch(
    socket,
    () => report('up'),
    () => report('down'),
  );
  return { emit: (name: string) => raw.emit(name, {}), socket, reports, emitter };
}

describe('ConnectionWatch', () => {
  it('ConnectionWatch: reports a connection at once, and its loss after a turn without a message', async () => {
    const { emit, reports, emitter } = watched();
    emit('handshake');
    assert.deepEqual(reports, ['up']);
    emit('disconnect');
    assert.deepEqual(reports, ['up']);
    await once(emitter, 'down');
    assert.deepEqual(reports, ['up', 'down']);
  });

  it('ConnectionWatch: reports a loss after all messages of the connection were read', async () => {
    const { emit, socket, reports, emitter } = watched();
    emit('handshake');
    emit('disconnect');
    for (let n = 0; n < 5; n += 1) {
      socket.received += 1;
      await turn();
      assert.deepEqual(reports, ['up']);
    }
    await once(emitter, 'down');
  });

  it('ConnectionWatch: reports a loss before the next connection', async () => {
    const { emit, socket, reports } = watched();
    emit('handshake');
    emit('disconnect');
    socket.received += 1;
    emit('handshake');
    await turn();
    await turn();
    assert.deepEqual(reports, ['up', 'down', 'up']);
  });

  it('ConnectionWatch: ignores the handshake of a discarded connection', () => {
    const { emit, socket, reports } = watched();
    socket.renewing = true;
    emit('handshake');
    assert.deepEqual(reports, []);
    socket.renewing = false;
    emit('handshake');
    assert.deepEqual(reports, ['up']);
  });

  it('ConnectionWatch: reports a loss once', async () => {
    const { emit, reports, emitter } = watched();
    emit('handshake');
    emit('disconnect');
    emit('disconnect');
    await once(emitter, 'down');
    await turn();
    assert.deepEqual(reports, ['up', 'down']);
  });

  it('ConnectionWatch: reports nothing after its socket was closed', async () => {
    const { emit, socket, reports } = watched();
    emit('handshake');
    emit('disconnect');
    socket.monitor.close();
    await turn();
    await turn();
    assert.deepEqual(reports, ['up']);
  });
});
