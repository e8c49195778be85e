import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import type { Observer } from 'zeromq';
import { ZeroMQSocketMonitor } from '../../../../src/transport/libzmq/socket-monitor.ts';
import { Reconnector } from '../../../../src/transport/socket/reconnector.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

function make() {
  const raw = new EventEmitter();
  const clock = new FakeClock();
  let reconnects = 0;
  const count = (): void => {
    reconnects += 1;
  };
  const revival = new Reconnector(new ZeroMQSocketMonitor(raw as unknown as Observer), count, clock);
  return { emit: (name: string) => raw.emit(name, {}), clock, revival, reconnects: () => reconnects };
}

describe('Reconnector', () => {
  it('Reconnector: restores a connection that libzmq has abandoned', () => {
    const { emit, clock, reconnects } = make();
    emit('handshake');
    emit('disconnect');
    assert.equal(reconnects(), 0);
    clock.advance(100);
    assert.equal(reconnects(), 1);
    assert.equal(clock.pending, 0);
  });

  it('Reconnector: leaves a connection to libzmq if it reconnects by itself', () => {
    const { emit, clock, reconnects } = make();
    emit('handshake');
    emit('disconnect');
    emit('connect:retry');
    clock.advance(60_000);
    assert.equal(reconnects(), 0);
  });

  it('Reconnector: increases the delay with each failure', () => {
    const { emit, clock, reconnects } = make();
    for (let round = 0; round < 200; round += 1) {
      emit('disconnect');
      clock.advance(50);
    }
    assert.ok(reconnects() < 60, `${reconnects()} in 10 s`);
  });

  it('Reconnector: restores a connection that the socket has discarded, whatever libzmq reports about the old one', () => {
    const { emit, clock, revival, reconnects } = make();
    emit('handshake');
    emit('disconnect');
    emit('connect:retry');
    revival.renew();
    emit('connect:retry');
    emit('handshake');
    assert.equal(revival.renewing, true);
    clock.advance(200);
    assert.deepEqual([reconnects(), revival.renewing], [1, false]);
    emit('connect:retry');
    clock.advance(60_000);
    assert.equal(reconnects(), 1);
  });

  it('Reconnector: does nothing after its socket was closed', () => {
    const { emit, clock, revival, reconnects } = make();
    emit('disconnect');
    revival.stop();
    clock.advance(60_000);
    assert.equal(reconnects(), 0);
  });
});
