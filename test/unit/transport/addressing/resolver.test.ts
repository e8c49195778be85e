/** Look-ups at a real DNS server on loopback, and by the system. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serverResolver, systemResolver } from '../../../../src/transport/addressing/resolver.ts';
import { DnsServer } from '../../../helpers/dns-server.ts';
import { scopeOf } from '../../../helpers/scope.ts';

const ZONE = {
  hosts: { 'both.test': ['10.0.0.1', 'fd00::1', '10.0.0.2'], 'six.test': ['fd00::2', 'fd00::3'] },
  services: { '_front._tcp.test': [{ name: 'both.test', port: 7 }] },
};

describe('serverResolver', () => {
  it('serverResolver: queries A records, and AAAA records if there are none', async (t) => {
    const { address } = await DnsServer.start(scopeOf(t), ZONE);
    const resolver = serverResolver(address);
    assert.deepEqual([...(await resolver.addresses('both.test'))].sort(), ['10.0.0.1', '10.0.0.2']);
    assert.deepEqual([...(await resolver.addresses('six.test'))].sort(), ['fd00::2', 'fd00::3']);
    await assert.rejects(resolver.addresses('unknown.test'), { code: 'ENOTFOUND' });
  });

  it('serverResolver: queries SRV records', async (t) => {
    const { address } = await DnsServer.start(scopeOf(t), ZONE);
    const [service] = await serverResolver(address).services('_front._tcp.test');
    assert.deepEqual([service?.name, service?.port], ['both.test', 7]);
  });
});

describe('systemResolver', () => {
  it('systemResolver: resolves localhost to addresses of one family', async () => {
    const found = await systemResolver.addresses('localhost');
    assert.ok(found.length > 0);
    assert.equal(new Set(found.map((address) => address.includes(':'))).size, 1);
  });
});
