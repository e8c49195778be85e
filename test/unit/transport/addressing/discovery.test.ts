/** Connections that come and go with names, without a network and without waiting. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../../../src/core/logging/logging.ts';
import { Discovery, type DnsOptions } from '../../../../src/transport/addressing/discovery.ts';
import type { DnsResolver, DnsService } from '../../../../src/transport/addressing/resolver.ts';
import { toTargets } from '../../../../src/transport/addressing/targets.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

class FakeResolver implements DnsResolver {
  hosts: Record<string, string[]> = {};
  srv: DnsService[] = [];
  asked = 0;

  addresses(name: string): Promise<string[]> {
    this.asked += 1;
    const found = this.hosts[name];
    return found === undefined ? Promise.reject(new Error(`no ${name}`)) : Promise.resolve(found);
  }

  services(): Promise<DnsService[]> {
    this.asked += 1;
    return Promise.resolve(this.srv);
  }
}

const INTERVAL = 1000;
/** More than an interval, whatever chance adds. */
const ROUND = INTERVAL * 1.1;

function make(places: readonly string[], options: DnsOptions = {}) {
  const clock = new FakeClock();
  const resolver = new FakeResolver();
  const told: string[] = [];
  const logged: string[] = [];
  const log = (level: string) => {
    return (_fields: unknown, message?: unknown) => void logged.push(`${level}: ${String(message)}`);
  };
  const logger = { ...silentLogger, warn: log('warn'), info: log('info') };
  const discovery = new Discovery(
    toTargets(places),
    { dns: { resolver, interval: INTERVAL, ...options }, logger, clock },
    {
      appeared: (connection) => void told.push(`+${String(connection)}`),
      vanished: (connection) => void told.push(`-${String(connection)}`),
    },
  );
  const taken = (): string[] => told.splice(0);
  return { clock, resolver, discovery, taken, logged };
}

describe('a list', () => {
  it('is there at once and for ever', () => {
    const { discovery, taken, clock } = make(['tcp://a:1', 'ipc:///b']);
    discovery.start();
    assert.deepEqual(taken(), ['+tcp://a:1', '+ipc:///b']);
    assert.equal(clock.pending, 0);
  });
});

describe('a name', () => {
  it('stands for its addresses, as they are at each look-up: new ones first, then those that are gone', async () => {
    const { discovery, resolver, taken, clock } = make(['dns://r:5', 'tcp://x:1']);
    resolver.hosts.r = ['10.0.0.1', '10.0.0.2'];
    discovery.start();
    assert.deepEqual(taken(), ['+tcp://x:1']);
    await clock.advanceAsync(0);
    assert.deepEqual(taken(), ['+tcp://10.0.0.1:5', '+tcp://10.0.0.2:5']);
    resolver.hosts.r = ['10.0.0.2', '10.0.0.3'];
    await clock.advanceAsync(ROUND);
    assert.deepEqual(taken(), ['+tcp://10.0.0.3:5', '-tcp://10.0.0.1:5']);
    await clock.advanceAsync(ROUND);
    assert.deepEqual(taken(), []);
    discovery.stop();
    assert.equal(clock.pending, 0);
  });

  it('that is not found, or stands for nothing, leaves what was known; both turns are logged once', async () => {
    const { discovery, resolver, taken, logged, clock } = make(['dns://r:5']);
    resolver.hosts.r = ['10.0.0.1'];
    discovery.start();
    await clock.advanceAsync(0);
    taken();
    delete resolver.hosts.r;
    await clock.advanceAsync(3 * ROUND);
    resolver.hosts.r = [];
    await clock.advanceAsync(3 * ROUND);
    assert.deepEqual([taken(), logged.length], [[], 1]);
    assert.match(logged[0] ?? '', /^warn: cannot resolve the DNS name; known addresses stay in use/);
    resolver.hosts.r = ['10.0.0.2'];
    await clock.advanceAsync(2 * ROUND);
    assert.deepEqual(taken(), ['+tcp://10.0.0.2:5', '-tcp://10.0.0.1:5']);
    assert.deepEqual(logged.slice(1), ['info: the DNS name resolves again']);
    discovery.stop();
  });

  it('that was never found is asked for sooner', async () => {
    const { discovery, resolver, taken, clock } = make(['dns://r:5'], { interval: 60_000 });
    discovery.start();
    await clock.advanceAsync(5000);
    assert.ok(resolver.asked > 3, `${resolver.asked} in 5 s`);
    resolver.hosts.r = ['10.0.0.1'];
    await clock.advanceAsync(60_000);
    assert.deepEqual(taken(), ['+tcp://10.0.0.1:5']);
    discovery.stop();
  });

  it('that two places share counts as long as one of them says so', async () => {
    const { discovery, resolver, taken, clock } = make(['dns://r:5', 'tcp://10.0.0.1:5']);
    resolver.hosts.r = ['10.0.0.1', '10.0.0.2'];
    discovery.start();
    await clock.advanceAsync(0);
    assert.deepEqual(taken(), ['+tcp://10.0.0.1:5', '+tcp://10.0.0.2:5']);
    resolver.hosts.r = ['10.0.0.2'];
    await clock.advanceAsync(ROUND);
    assert.deepEqual(taken(), []);
    discovery.stop();
  });

  it('tells nothing once it is stopped, though it was being looked up', async () => {
    const { discovery, resolver, taken, clock } = make(['dns://r:5']);
    resolver.hosts.r = ['10.0.0.1'];
    discovery.start();
    discovery.stop();
    await clock.advanceAsync(ROUND);
    assert.deepEqual([taken(), clock.pending], [[], 0]);
  });
});

describe('a service', () => {
  it('stands for the addresses of its hosts, each with its port; one that is not found stays as it was', async () => {
    const { discovery, resolver, taken, clock } = make(['dns://_front._tcp.r']);
    resolver.srv = [
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
    ];
    resolver.hosts = { a: ['10.0.0.1'], b: ['fd00::1', '10.0.0.2'] };
    discovery.start();
    await clock.advanceAsync(0);
    assert.deepEqual(taken(), ['+tcp://10.0.0.1:1', '+tcp://[fd00::1]:2', '+tcp://10.0.0.2:2']);
    resolver.hosts = { a: ['10.0.0.9'] };
    await clock.advanceAsync(ROUND);
    assert.deepEqual(taken(), ['+tcp://10.0.0.9:1', '-tcp://10.0.0.1:1']);
    resolver.srv = [{ name: 'a', port: 1 }];
    await clock.advanceAsync(ROUND);
    assert.deepEqual(taken(), ['-tcp://[fd00::1]:2', '-tcp://10.0.0.2:2']);
    discovery.stop();
  });
});

describe('an interval', () => {
  it('is at least 10 ms', () => {
    assert.throws(() => make(['dns://r:5'], { interval: 5 }), /dns.interval must be at least 10 ms, got 5/);
  });
});
