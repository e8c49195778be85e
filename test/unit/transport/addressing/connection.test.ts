import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';
import {
  toConnection,
  ZeroMQINPROCConnection,
  ZeroMQIPCConnection,
  ZeroMQProtocol,
  ZeroMQTCPConnection,
} from '../../../../src/transport/addressing/connection.ts';

const refuses = (make: () => unknown, message: RegExp): void =>
  assert.throws(make, { constructor: ZeroMQConfigError, code: 'INVALID_ARGUMENT', message });

describe('ZeroMQTCPConnection', () => {
  it('ZeroMQTCPConnection: connects to a host and binds all interfaces, like the original', () => {
    const connection = new ZeroMQTCPConnection(5555, 'example.org');
    assert.equal(connection.protocol, ZeroMQProtocol.TCP);
    assert.equal(connection.getConnectionString(), 'tcp://example.org:5555');
    assert.equal(connection.getConnectionString(true), 'tcp://*:5555');
    assert.equal(String(connection), 'tcp://example.org:5555');
    assert.equal(new ZeroMQTCPConnection(1).getConnectionString(), 'tcp://localhost:1');
  });

  it('ZeroMQTCPConnection: binds bindHost', () => {
    const bound = (bindHost: string): string =>
      new ZeroMQTCPConnection(5555, 'localhost', { bindHost }).getConnectionString(true);
    assert.equal(bound('127.0.0.1'), 'tcp://127.0.0.1:5555');
    assert.equal(bound('::1'), 'tcp://[::1]:5555');
    assert.equal(bound('eth0'), 'tcp://eth0:5555');
    assert.equal(bound('localhost'), 'tcp://127.0.0.1:5555', 'libzmq binds no names');
  });

  it('ZeroMQTCPConnection: port 0 lets the binding side choose a port, and cannot be connected to', () => {
    const connection = new ZeroMQTCPConnection(0);
    assert.equal(connection.getConnectionString(true), 'tcp://*:*');
    refuses(() => connection.getConnectionString(), /cannot connect to port 0/);
  });

  it('ZeroMQTCPConnection: recognises IPv6 addresses', () => {
    const connection = new ZeroMQTCPConnection(5555, '::1');
    assert.deepEqual([connection.isIPv6(false), connection.isIPv6(true)], [true, false]);
    assert.equal(connection.getConnectionString(), 'tcp://[::1]:5555');
  });

  for (const port of [-1, 65_536, 1.5, Number.NaN, '5555' as unknown as number]) {
    it(`ZeroMQTCPConnection: rejects port ${port}`, () =>
      refuses(() => new ZeroMQTCPConnection(port), /port must be .* 0 to 65535, got/));
  }

  for (const host of ['', 'a b', 'x'.repeat(254), '-a', 'a/b', '*', 5 as unknown as string]) {
    it(`ZeroMQTCPConnection: rejects host ${JSON.stringify(host).slice(0, 20)}`, () => {
      refuses(() => new ZeroMQTCPConnection(1, host), /^host must be a host name or an IP address, got/);
    });
  }

  it('ZeroMQTCPConnection: accepts * as bindHost, and rejects invalid hosts', () => {
    refuses(
      () => new ZeroMQTCPConnection(1, 'h', { bindHost: 'a b' }),
      /^bindHost must be .*, or \*, got "a b"/,
    );
  });
});

describe('ZeroMQIPCConnection', () => {
  it('ZeroMQIPCConnection: has the path in its endpoint', () => {
    const connection = new ZeroMQIPCConnection('/tmp/x.ipc');
    assert.equal(connection.protocol, ZeroMQProtocol.IPC);
    assert.equal(connection.getConnectionString(), 'ipc:///tmp/x.ipc');
  });

  for (const path of ['', 'x'.repeat(108), 'ü'.repeat(54), 'a\0b', undefined as unknown as string]) {
    it(`ZeroMQIPCConnection: rejects ${JSON.stringify(path)?.slice(0, 20)}`, () =>
      refuses(() => new ZeroMQIPCConnection(path), /^ipcPath must be/));
  }
});

describe('ZeroMQINPROCConnection', () => {
  it('ZeroMQINPROCConnection: has the name in its endpoint', () => {
    const connection = new ZeroMQINPROCConnection('here');
    assert.equal(connection.protocol, ZeroMQProtocol.INPROC);
    assert.equal(connection.getConnectionString(), 'inproc://here');
  });

  for (const name of ['', 'x'.repeat(256), 'a\0b', 5 as unknown as string]) {
    it(`ZeroMQINPROCConnection: rejects ${JSON.stringify(name).slice(0, 20)}`, () =>
      refuses(() => new ZeroMQINPROCConnection(name), /^inprocName must be/));
  }
});

describe('toConnection', () => {
  for (const [url, connect, bind] of [
    ['tcp://example.org:5555', 'tcp://example.org:5555', 'tcp://example.org:5555'],
    ['tcp://127.0.0.1:5555', 'tcp://127.0.0.1:5555', 'tcp://127.0.0.1:5555'],
    ['tcp://*:5555', 'tcp://localhost:5555', 'tcp://*:5555'],
    ['tcp://0.0.0.0:5555', 'tcp://localhost:5555', 'tcp://0.0.0.0:5555'],
    ['tcp://[::1]:5555', 'tcp://[::1]:5555', 'tcp://[::1]:5555'],
    ['tcp://[::]:5555', 'tcp://[::1]:5555', 'tcp://[::]:5555'],
    ['tcp://localhost:5555', 'tcp://localhost:5555', 'tcp://127.0.0.1:5555'],
    ['ipc:///tmp/x', 'ipc:///tmp/x', 'ipc:///tmp/x'],
    ['inproc://x', 'inproc://x', 'inproc://x'],
  ] as const) {
    it(`toConnection: converts ${url}`, () => {
      const connection = toConnection(url);
      assert.deepEqual(
        [connection.getConnectionString(), connection.getConnectionString(true)],
        [connect, bind],
      );
    });
  }

  it('toConnection: accepts * as the port', () => {
    for (const url of ['tcp://127.0.0.1:0', 'tcp://127.0.0.1:*']) {
      assert.equal(toConnection(url).getConnectionString(true), 'tcp://127.0.0.1:*');
    }
  });

  for (const url of ['', 'http://x', 'tcp:/x:1', 'x', 5 as unknown as string, null as unknown as string]) {
    it(`toConnection: rejects ${JSON.stringify(url)}`, () =>
      refuses(() => toConnection(url), /^a connection must be tcp:/));
  }

  for (const url of ['tcp://x', 'tcp://x:', 'tcp://:5', 'tcp://::1:5', 'tcp://x:5/y', 'tcp://x:123456']) {
    it(`toConnection: rejects ${url}`, () => refuses(() => toConnection(url), /^expected tcp:\/\/host:port/));
  }

  it('toConnection: returns a connection unchanged', () => {
    const connection = new ZeroMQTCPConnection(1);
    assert.equal(toConnection(connection), connection);
  });
});
