/** Socket monitors: the events that libzmq reports about the sockets of every node. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { type MonitorEvent, type ZeroMQSocketMonitor, ZeroMQSocketStatus } from '../../src/index.ts';
import { freeEndpoint, TRANSPORTS } from '../helpers/endpoints.ts';
import { emissions, eventually } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { rawRouter } from '../helpers/raw.ts';
import { scopeOf } from '../helpers/scope.ts';
import { connectClient, makeClient, makeWorker, nextEvent, startRouter, startServer } from './framework.ts';

failOnLeftovers();

const echo = { echo: (data: unknown) => data };

/** The greeting of a ZMTP 3.0 peer that requests a mechanism which these sockets do not have. */
const PLAIN_GREETING = Buffer.alloc(64);
PLAIN_GREETING.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]);
PLAIN_GREETING.write('PLAIN', 12);

/** Collects all events of a monitor from now on. */
function record(monitor: ZeroMQSocketMonitor): MonitorEvent[] {
  const events: MonitorEvent[] = [];
  monitor.on('event', (event) => events.push(event));
  return events;
}

const only = (monitors: readonly ZeroMQSocketMonitor[]): ZeroMQSocketMonitor => monitors[0] ?? assert.fail();

for (const transport of TRANSPORTS) {
  describe(`socket monitor over ${transport}`, () => {
    it(`socket monitor over ${transport}: reports a connection from its first attempt to its end`, async (t) => {
      const scope = scopeOf(t);
      const connection = await freeEndpoint(scope, transport);
      const client = makeClient(scope, { connection });
      await client.connect({ timeout: 1 });
      const monitor = only(client.monitors);
      const events = record(monitor);
      const statuses: string[] = [];
      monitor.on('status', (status) => statuses.push(status));
      assert.equal(monitor.status, ZeroMQSocketStatus.NONE);
      const { server } = await startServer(scope, { connection, handlers: echo });
      await client.connect({ throwOnFailure: true, timeout: PATIENCE });
      const disconnected = nextEvent(monitor, 'disconnect');
      await server.stop();
      await disconnected;
      await nextEvent(monitor, 'connect:retry');
      await client.close();
      assert.deepEqual(statuses, ['connected', 'disconnected', 'closed']);
      assert.equal(monitor.status, ZeroMQSocketStatus.CLOSED);
      const types = new Set(events.map(({ type }) => type));
      for (const type of ['connect', 'handshake', 'disconnect', 'connect:retry'] as const) {
        assert.ok(types.has(type), `${type} is reported; reported were ${[...types].join()}`);
      }
      const retry = events.find(({ type }) => type === 'connect:retry');
      assert.ok(retry?.interval !== undefined && retry.interval > 0);
      assert.ok(events.every(({ address }) => address === undefined || address.includes('//')));
    });

    it(`socket monitor over ${transport}: counts the connections of a router, a server and a worker`, async (t) => {
      const scope = scopeOf(t);
      const { router, frontend, backend } = await startRouter(scope, transport);
      const { server, endpoint } = await startServer(scope, { handlers: echo }, transport);
      const worker = makeWorker(scope, { connection: [backend], handlers: echo });
      assert.deepEqual(worker.monitors, []);
      await worker.start();
      const clients = [
        await connectClient(scope, frontend),
        await connectClient(scope, [frontend, endpoint]),
      ];
      const sides = [
        [router.frontendMonitor, 2],
        [router.backendMonitor, 1],
        [only(server.monitors), 1],
        [only(worker.monitors), 1],
      ] as const;
      for (const [monitor = assert.fail(), connections] of sides) {
        await eventually(
          emissions(monitor, 'handshake'),
          () => monitor.connections === connections && monitor.status === 'connected',
          `${connections} connections`,
        );
      }
      assert.equal(clients[1]?.monitors.length, 2);
      const gone = nextEvent(router.frontendMonitor ?? assert.fail(), 'disconnect');
      await clients[0]?.close();
      await gone;
      assert.deepEqual(
        [router.frontendMonitor?.connections, router.frontendMonitor?.status],
        [1, 'connected'],
      );
    });
  });
}

describe('socket monitor', () => {
  it('socket monitor: does not take an unknown peer that disconnects for a client that left', async (t) => {
    const scope = scopeOf(t);
    const { server, endpoint } = await startServer(scope, { handlers: echo });
    const client = await connectClient(scope, endpoint);
    assert.equal((await client.sendMessage('echo', 1)).eventData, 1);
    const monitor = only(server.monitors);
    const disconnected = nextEvent(monitor, 'disconnect');
    const stranger = connect(Number(endpoint.split(':')[2]), '127.0.0.1');
    await once(stranger, 'connect');
    stranger.destroy();
    await disconnected;
    assert.deepEqual([monitor.connections, monitor.status], [1, 'connected']);
  });

  it('socket monitor: reports a failed handshake, and the connection is tried again', async (t) => {
    const scope = scopeOf(t);
    const stranger = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume().write(PLAIN_GREETING);
    });
    scope.after(() => stranger.close());
    stranger.listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const { port } = stranger.address() as AddressInfo;
    const client = makeClient(scope, { connection: `tcp://127.0.0.1:${port}` });
    await client.connect({ timeout: 1 });
    await nextEvent(only(client.monitors), 'handshake:error:protocol');
    assert.equal(client.reachable, false);
    const closed = once(stranger, 'close');
    stranger.close();
    await closed;
    await rawRouter(scope, `tcp://127.0.0.1:${port}`);
    assert.equal(await client.connect({ timeout: PATIENCE }), true);
  });

  it('socket monitor: the monitors of a pool are those of its sockets', async (t) => {
    const scope = scopeOf(t);
    const client = makeClient(scope, {
      connection: await freeEndpoint(scope, 'tcp'),
      classic: true,
      poolSize: 3,
    });
    await client.connect({ timeout: 1 });
    assert.equal(client.monitors.length, 3);
    await client.close();
    assert.deepEqual(client.monitors, []);
  });
});
