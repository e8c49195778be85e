import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';
import { toConnection, ZeroMQTCPConnection } from '../../../../src/transport/addressing/connection.ts';
import { DnsTarget, toTarget, toTargets } from '../../../../src/transport/addressing/targets.ts';

function refuses(make: () => unknown, message: RegExp): void {
  assert.throws(make, (error: unknown) => error instanceof ZeroMQConfigError && message.test(error.message));
}

describe('DnsTarget', () => {
  const parts = (url: string) => {
    const place = toTarget(url);
    assert.ok(place instanceof DnsTarget);
    assert.equal(String(place), url);
    return [place.server, place.name, place.port];
  };

  it('DnsTarget: has a host and a port', () => {
    assert.deepEqual(parts('dns://routers.example:5555'), [undefined, 'routers.example', 5555]);
    assert.deepEqual(parts('dns://my_router:1'), [undefined, 'my_router', 1]);
  });

  it('DnsTarget: stands for SRV records without a port', () => {
    assert.deepEqual(parts('dns://_front._tcp.example'), [undefined, '_front._tcp.example', undefined]);
  });

  it('DnsTarget: accepts a DNS server', () => {
    assert.deepEqual(parts('dns://127.0.0.1:5353/a.example:5'), ['127.0.0.1:5353', 'a.example', 5]);
    assert.deepEqual(parts('dns://[::1]:5353/a.example'), ['[::1]:5353', 'a.example', undefined]);
  });

  for (const url of ['dns://', 'dns://:5', 'dns:name:5', 'dns://a:5/', 'dns://a/b/c:5', 'dns://a:123456']) {
    it(`DnsTarget: rejects ${url}`, () => refuses(() => toTarget(url), /^expected dns:\/\/name:port/));
  }

  it('DnsTarget: rejects port 0 and ports above 65535', () => {
    refuses(() => toTarget('dns://a:0'), /cannot connect to port 0/);
    refuses(() => toTarget('dns://a:65536'), /port must be a whole number from 0 to 65535/);
  });

  it('DnsTarget: rejects an invalid host name', () =>
    refuses(() => toTarget('dns://a b:5'), /host must be a host name/));

  it('DnsTarget: rejects a DNS server that is not an IP address', () => {
    refuses(() => toTarget('dns://ns.example/a:5'), /DNS server in "dns:\/\/ns.example\/a:5" must be an IP/);
  });

  it('DnsTarget: cannot be bound', () => {
    refuses(() => toConnection('dns://a:5'), /only a connecting node accepts a DNS name/);
  });
});

describe('toTargets', () => {
  it('toTargets: accepts a single target or a list', () => {
    assert.equal(toTargets('tcp://a:1').length, 1);
    const list = toTargets(['tcp://a:1', new ZeroMQTCPConnection(1, 'b'), 'dns://c:1']);
    assert.deepEqual(list.map(String), ['tcp://a:1', 'tcp://b:1', 'dns://c:1']);
  });

  it('toTargets: rejects an empty list', () => refuses(() => toTargets([]), /expected at least one/));

  it('toTargets: rejects a duplicate target', () => {
    refuses(() => toTargets(['tcp://a:1', new ZeroMQTCPConnection(1, 'a')]), /tcp:\/\/a:1 is listed twice/);
    refuses(() => toTargets(['dns://a:1', 'dns://a:1']), /dns:\/\/a:1 is listed twice/);
  });
});
