import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZeroMQConfigError } from '../../../src/core/messages/errors.ts';
import { ZeroMQHeartbeatConfig } from '../../../src/liveness/index.ts';
import { ZeroMQTCPConnection } from '../../../src/transport/addressing/connection.ts';

describe('ZeroMQHeartbeatConfig', () => {
  it('ZeroMQHeartbeatConfig: has the defaults of the original in milliseconds', () => {
    const { interval, timeout, maxMissed, connection } = new ZeroMQHeartbeatConfig(
      new ZeroMQTCPConnection(5557),
    );
    assert.deepEqual({ interval, timeout, maxMissed }, { interval: 10_000, timeout: 30_000, maxMissed: 3 });
    assert.equal(connection.getConnectionString(), 'tcp://localhost:5557');
  });

  it('ZeroMQHeartbeatConfig: accepts a URL and other values', () => {
    const config = new ZeroMQHeartbeatConfig('tcp://127.0.0.1:5557', {
      interval: 50,
      timeout: 50.5,
      maxMissed: 0,
    });
    assert.equal(config.connection.getConnectionString(), 'tcp://127.0.0.1:5557');
    assert.deepEqual([config.interval, config.timeout, config.maxMissed], [50, 50.5, 0]);
  });

  it('ZeroMQHeartbeatConfig: rejects seconds with a hint', () => {
    assert.throws(
      () => new ZeroMQHeartbeatConfig('tcp://127.0.0.1:5557', { interval: 5 }),
      (error) =>
        error instanceof ZeroMQConfigError &&
        error.message ===
          'heartbeat interval is 5 ms: durations are in milliseconds, and shorter than 50 ms is usually a mistake; ' +
            'did you mean 5 seconds? write 5_000, or set allowShortDurations',
    );
  });

  it('ZeroMQHeartbeatConfig: accepts short durations with allowShortDurations', () => {
    const options = { interval: 10, timeout: 20, allowShortDurations: true };
    const { interval, timeout } = new ZeroMQHeartbeatConfig('tcp://127.0.0.1:5557', options);
    assert.deepEqual([interval, timeout], [10, 20]);
  });

  it('ZeroMQHeartbeatConfig: rejects invalid durations and counts with the name of the option', () => {
    for (const [options, name] of [
      [{ timeout: 9.9, allowShortDurations: true }, 'timeout'],
      [{ timeout: -1 }, 'timeout'],
      [{ interval: Number.NaN }, 'interval'],
      [{ interval: Infinity }, 'interval'],
      [{ maxMissed: 1.5 }, 'maxMissed'],
      [{ maxMissed: -1 }, 'maxMissed'],
    ] as const) {
      assert.throws(
        () => new ZeroMQHeartbeatConfig('tcp://127.0.0.1:5557', options),
        (error) =>
          error instanceof ZeroMQConfigError && error.message.startsWith(`heartbeat ${name} must be`),
      );
    }
    assert.throws(() => new ZeroMQHeartbeatConfig('nowhere'), ZeroMQConfigError);
  });
});
