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
  const told: string[] = [];
  const news = new EventEmitter();
  const tell = (what: string): void => {
    told.push(what);
    news.emit(what);
  };
  new ConnectionWatch(
    socket,
    () => tell('up'),
    () => tell('down'),
  );
  return { emit: (name: string) => raw.emit(name, {}), socket, told, news };
}

describe('a connection that is watched', () => {
  it('comes up at once, and is lost after a turn without a message', async () => {
    const { emit, told, news } = watched();
    emit('handshake');
    assert.deepEqual(told, ['up']);
    emit('disconnect');
    assert.deepEqual(told, ['up']);
    await once(news, 'down');
    assert.deepEqual(told, ['up', 'down']);
  });

  it('is not lost before what came over it is read', async () => {
    const { emit, socket, told, news } = watched();
    emit('handshake');
    emit('disconnect');
    for (let n = 0; n < 5; n += 1) {
      socket.received += 1;
      await turn();
      assert.deepEqual(told, ['up']);
    }
    await once(news, 'down');
  });

  it('is lost before the next one comes up', async () => {
    const { emit, socket, told } = watched();
    emit('handshake');
    emit('disconnect');
    socket.received += 1;
    emit('handshake');
    await turn();
    await turn();
    assert.deepEqual(told, ['up', 'down', 'up']);
  });

  it('does not come up by news of one that was given up', () => {
    const { emit, socket, told } = watched();
    socket.renewing = true;
    emit('handshake');
    assert.deepEqual(told, []);
    socket.renewing = false;
    emit('handshake');
    assert.deepEqual(told, ['up']);
  });

  it('is lost once', async () => {
    const { emit, told, news } = watched();
    emit('handshake');
    emit('disconnect');
    emit('disconnect');
    await once(news, 'down');
    await turn();
    assert.deepEqual(told, ['up', 'down']);
  });

  it('tells nothing more once its socket is closed', async () => {
    const { emit, socket, told } = watched();
    emit('handshake');
    emit('disconnect');
    socket.monitor.close();
    await turn();
    await turn();
    assert.deepEqual(told, ['up']);
  });
});
