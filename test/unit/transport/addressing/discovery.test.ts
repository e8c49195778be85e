/** Connections that appear and vanish with DNS names, with a fake resolver and clock. */
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
  lookUps = 0;

  addresses(name: string): Promise<string[]> {
    this.lookUps += 1;
    const found = this.hosts[name];
    return found === undefined ? Promise.reject(new Error(`no ${name}`)) : Promise.resolve(found);
  }

  services(): Promise<DnsService[]> {
    this.lookUps += 1;
    return Promise.resolve(this.srv);
  }
}

const INTERVAL = 1000;
/** Longer than an interval with its random share. */
const ROUND = INTERVAL * 1.1;

function make(targets: readonly string[], options: DnsOptions = {}) {
  const clock = new FakeClock();
  const resolver = new FakeResolver();
  const changes: string[] = [];
  const logged: string[] = [];
  const log = (level: string) => {
    return (_fields: unknown, message?: unknown) => void logged.push(`${level}: ${String(message)}`);
  };
  const logger = { ...silentLogger, warn: log('warn'), info: log('info') };
  const discovery = new Discovery(
    toTargets(targets),
    { dns: { resolver, interval: INTERVAL, ...options }, logger, clock },
    {
      appeared: (connection) => void changes.push(`+${String(connection)}`),
      vanished: (connection) => void changes.push(`-${String(connection)}`),
    },
  );
  const takeChanges = (): string[] => changes.splice(0);
  return { clock, resolver, discovery, takeChanges, logged };
}

describe('Discovery of a list', () => {
  it('Discovery: reports the connections of a list at once and keeps them', () => {
    const { discovery, takeChanges, clock } = make(['tcp://a:1', 'ipc:///b']);
    discovery.start();
    assert.deepEqual(takeChanges(), ['+tcp://a:1', '+ipc:///b']);
    assert.equal(clock.pending, 0);
  });
});

describe('Discovery of a name', () => {
  it('Discovery: reports added addresses before removed ones at each look-up', async () => {
    const { discovery, resolver, takeChanges, clock } = make(['dns://r:5', 'tcp://x:1']);
    resolver.hosts.r = ['10.0.0.1', '10.0.0.2'];
    discovery.start();
    assert.deepEqual(takeChanges(), ['+tcp://x:1']);
    await clock.advanceAsync(0);
    assert.deepEqual(takeChanges(), ['+tcp://10.0.0.1:5', '+tcp://10.0.0.2:5']);
    resolver.hosts.r = ['10.0.0.2', '10.0.0.3'];
    await clock.advanceAsync(ROUND);
    assert.deepEqual(takeChanges(), ['+tcp://10.0.0.3:5', '-tcp://10.0.0.1:5']);
    await clock.advanceAsync(ROUND);
    assert.deepEqual(takeChanges(), []);
    discovery.stop();
    assert.equal(clock.pending, 0);
  });

  it('Discovery: keeps known addresses when a look-up fails or finds nothing, and logs the reason at once, after 5 s and when it changes', async () => {
    const { discovery, resolver, takeChanges, logged, clock } = make(['dns://r:5']);
    resolver.hosts.r = ['10.0.0.1'];
    discovery.start();
    await clock.advanceAsync(0);
    takeChanges();
    delete resolver.hosts.r;
    await clock.advanceAsync(3 * ROUND);
    resolver.hosts.r = [];
    await clock.advanceAsync(3 * ROUND);
    assert.deepEqual([takeChanges(), logged.length], [[], 3]);
    assert.match(logged[0] ?? '', /^warn: cannot resolve the DNS name; known addresses stay in use/);
    resolver.hosts.r = ['10.0.0.2'];
    await clock.advanceAsync(2 * ROUND);
    assert.deepEqual(takeChanges(), ['+tcp://10.0.0.2:5', '-tcp://10.0.0.1:5']);
    assert.deepEqual(logged.slice(3), ['info: the DNS name resolves again']);
    discovery.stop();
  });

  it('Discovery: looks up a name more often until it is first resolved', async () => {
    const { discovery, resolver, takeChanges, clock } = make(['dns://r:5'], { interval: 60_000 });
    discovery.start();
    await clock.advanceAsync(5000);
    assert.ok(resolver.lookUps > 3, `${resolver.lookUps} in 5 s`);
    resolver.hosts.r = ['10.0.0.1'];
    await clock.advanceAsync(60_000);
    assert.deepEqual(takeChanges(), ['+tcp://10.0.0.1:5']);
    discovery.stop();
  });

  it('Discovery: keeps a connection while at least one target lists it', async () => {
    const { discovery, resolver, takeChanges, clock } = make(['dns://r:5', 'tcp://10.0.0.1:5']);
    resolver.hosts.r = ['10.0.0.1', '10.0.0.2'];
    discovery.start();
    await clock.advanceAsync(0);
    assert.deepEqual(takeChanges(), ['+tcp://10.0.0.1:5', '+tcp://10.0.0.2:5']);
    resolver.hosts.r = ['10.0.0.2'];
    await clock.advanceAsync(ROUND);
    assert.deepEqual(takeChanges(), []);
    discovery.stop();
  });

  it('Discovery: reports nothing after a stop during a look-up', async () => {
    const { discovery, resolver, takeChanges, clock } = make(['dns://r:5']);
    resolver.hosts.r = ['10.0.0.1'];
    discovery.start();
    discovery.stop();
    await clock.advanceAsync(ROUND);
    assert.deepEqual([takeChanges(), clock.pending], [[], 0]);
  });
});

describe('Discovery of a service', () => {
  it('Discovery: combines the addresses of all hosts of an SRV name, and keeps those of a host that is not found', async () => {
    const { discovery, resolver, takeChanges, clock } = make(['dns://_front._tcp.r']);
    resolver.srv = [
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
    ];
    resolver.hosts = { a: ['10.0.0.1'], b: ['fd00::1', '10.0.0.2'] };
    discovery.start();
    await clock.advanceAsync(0);
    assert.deepEqual(takeChanges(), ['+tcp://10.0.0.1:1', '+tcp://[fd00::1]:2', '+tcp://10.0.0.2:2']);
    resolver.hosts = { a: ['10.0.0.9'] };
    await clock.advanceAsync(ROUND);
    assert.deepEqual(takeChanges(), ['+tcp://10.0.0.9:1', '-tcp://10.0.0.1:1']);
    resolver.srv = [{ name: 'a', port: 1 }];
    await clock.advanceAsync(ROUND);
    assert.deepEqual(takeChanges(), ['-tcp://[fd00::1]:2', '-tcp://10.0.0.2:2']);
    discovery.stop();
  });
});

describe('interval of a Discovery', () => {
  it('Discovery: rejects an interval below 10 ms', () => {
    assert.throws(() => make(['dns://r:5'], { interval: 5 }), /dns.interval must be at least 10 ms, got 5/);
  });
});

describe('Discovery with other targets', () => {
  it('Discovery: adds new connections before it drops those that are no longer listed', () => {
    const { discovery, takeChanges } = make(['tcp://a:1', 'tcp://b:1']);
    discovery.start();
    takeChanges();
    discovery.useTargets(toTargets(['tcp://b:1', 'tcp://c:1']));
    assert.deepEqual(takeChanges(), ['+tcp://c:1', '-tcp://a:1']);
  });

  it('Discovery: keeps former connections until a new name was resolved', async () => {
    const { discovery, takeChanges, resolver, clock } = make(['tcp://a:1', 'dns://old:5']);
    resolver.hosts = { old: ['10.0.0.1'] };
    discovery.start();
    await clock.advanceAsync(0);
    takeChanges();
    discovery.useTargets(toTargets(['dns://new:5']));
    await clock.advanceAsync(0);
    assert.deepEqual(takeChanges(), []);
    resolver.hosts = { new: ['10.0.0.2'] };
    await clock.advanceAsync(ROUND);
    assert.deepEqual(takeChanges(), ['+tcp://10.0.0.2:5', '-tcp://a:1', '-tcp://10.0.0.1:5']);
    discovery.stop();
    assert.equal(clock.pending, 0);
  });
});
