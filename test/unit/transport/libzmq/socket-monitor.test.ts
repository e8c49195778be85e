import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import type { Observer } from 'zeromq';
import {
  MONITOR_EVENTS,
  type MonitorEventName,
  ZeroMQSocketMonitor,
  ZeroMQSocketStatus,
} from '../../../../src/transport/libzmq/socket-monitor.ts';

function make() {
  const raw = new EventEmitter();
  const monitor = new ZeroMQSocketMonitor(raw as unknown as Observer);
  const statuses: string[] = [];
  monitor.on('status', (status) => statuses.push(status));
  const emit = (...types: MonitorEventName[]): void =>
    types.forEach((type) => raw.emit(type, { type, address: 'a' }));
  return { monitor, statuses, emit };
}

describe('ZeroMQSocketMonitor', () => {
  it('ZeroMQSocketMonitor: emits every event of libzmq under its name and as `event`', () => {
    const { monitor, emit } = make();
    for (const name of Object.keys(MONITOR_EVENTS) as MonitorEventName[]) {
      const heard: unknown[] = [];
      monitor.once(name, (event) => heard.push(event));
      monitor.once('event', (event) => heard.push(event));
      emit(name);
      const event = { type: name, address: 'a' };
      assert.deepEqual(heard, [event, event]);
    }
  });

  it('ZeroMQSocketMonitor: derives the status of the original', () => {
    const { monitor, statuses, emit } = make();
    assert.equal(monitor.status, ZeroMQSocketStatus.NONE);
    emit('connect:delay', 'connect', 'handshake');
    emit('disconnect', 'connect:retry', 'handshake');
    monitor.close();
    emit('handshake');
    assert.deepEqual(statuses, ['connected', 'disconnected', 'connected', 'closed']);
  });

  it('ZeroMQSocketMonitor: is connected while at least one peer is', () => {
    const { monitor, statuses, emit } = make();
    emit('handshake', 'handshake', 'disconnect');
    assert.deepEqual([monitor.connections, statuses], [1, ['connected']]);
    emit('disconnect');
    assert.deepEqual([monitor.connections, statuses], [0, ['connected', 'disconnected']]);
  });

  it('ZeroMQSocketMonitor: does not count the end of a failed handshake as a lost connection', () => {
    const { monitor, statuses, emit } = make();
    emit('handshake', 'accept', 'handshake:error:other', 'disconnect');
    assert.deepEqual([monitor.connections, statuses], [1, ['connected']]);
  });
});
