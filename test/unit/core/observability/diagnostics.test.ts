import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, it } from 'node:test';
import { diagnostics } from '../../../../src/core/observability/diagnostics.ts';

describe('diagnostics', () => {
  it('diagnostics: names each channel once, in its own namespace', () => {
    const names = Object.values(diagnostics).map(({ name }) => String(name));
    assert.deepEqual(names, [
      'zeromq-gateway:request:settled',
      'zeromq-gateway:execution:settled',
      'zeromq-gateway:http:answered',
      'zeromq-gateway:worker:joined',
      'zeromq-gateway:worker:left',
      'zeromq-gateway:worker:refused',
      'zeromq-gateway:file:reloaded',
      'zeromq-gateway:heartbeat:missed',
      'zeromq-gateway:heartbeat:lost',
      'zeromq-gateway:reconnect',
      'zeromq-gateway:frame:dropped',
      'zeromq-gateway:batch:sent',
      'zeromq-gateway:lifecycle',
    ]);
  });

  it('diagnostics: reports subscribers by object and by name to publishers', () => {
    const { batchSent } = diagnostics;
    const seen: unknown[] = [];
    const listener = (payload: unknown) => void seen.push(payload);
    assert.equal(batchSent.hasSubscribers, false);
    subscribe('zeromq-gateway:batch:sent', listener);
    assert.equal(batchSent.hasSubscribers, true);
    const payload = { kind: 'router', node: 'r1', records: 3, bytes: 90 } as const;
    batchSent.publish(payload);
    unsubscribe('zeromq-gateway:batch:sent', listener);
    assert.equal(batchSent.hasSubscribers, false);
    assert.deepEqual(seen, [payload]);
  });
});
