/** Scaling: connections, workers, events and routes, each compared with its smallest size. */
import type { Contender, Launch } from '../lib/contender.ts';
import { documentOf, echoDocument, thingPath } from '../lib/documents.ts';
import { ask, startDriver, untilServed } from '../lib/driver.ts';
import { expectReply } from '../lib/expect.ts';
import type { LoadResult, LoadTool } from '../lib/load.ts';
import type { ApplyLoad } from '../lib/measure.ts';
import { runScaling, type Size } from '../lib/scaling.ts';
import type { Scenario } from '../lib/scenario.ts';
import { embeddedAs, missingBuild, startGateway, startRouter } from '../lib/zeromq-gateway.ts';
import { processNamed } from './queue.ts';

const ECHO = '/echo/hello';
const WINDOW = 64;
/**
 * Factor for the duration of a round with thousands of connections, since opening them takes time.
 */
const LONGER = 2.5;

function echoLoad(load: LoadTool, connections: number, longer = 1): ApplyLoad {
  return async ({ at }, seconds) => {
    await expectReply({ url: at + ECHO, reply: { message: 'hello' } });
    return load.run({ origin: at, path: ECHO, connections, seconds: seconds * longer });
  };
}

function gatewayContender(name: string, start: (launch: Launch) => Promise<string>): Contender {
  return { name, does: '', missing: missingBuild, start };
}

function count(value: number, what: string): string {
  return `${value.toLocaleString('en-US')} ${what}${value === 1 ? '' : 's'}`;
}

const connections: Scenario = {
  name: 'connections',
  title: 'CPU a request by number of connections',
  run: (context) =>
    runScaling(
      {
        name: connections.name,
        title: connections.title,
        about:
          'GET /echo/hello, embedded, in rounds at least two and a half times as long as the others, because the figure includes opening the connections.',
        want: 1.3,
        sizes: [64, 4096].map((size) => ({
          contender: embeddedAs(count(size, 'connection')),
          apply: echoLoad(context.load, size, LONGER),
        })),
      },
      context,
    ),
};

const workers: Scenario = {
  name: 'workers',
  title: 'CPU a request by number of workers',
  run: (context) =>
    runScaling(
      {
        name: workers.name,
        title: workers.title,
        about: `GET /echo/hello at ${WINDOW} connections through gateway and router; the workers share one process, each with its own sockets and heartbeats.`,
        want: 2,
        sizes: [1, 10, 100].map((size) => ({
          contender: gatewayContender(count(size, 'worker'), async (launch) => {
            const { frontend, backend, heartbeat } = await startRouter(launch);
            await startDriver(launch, 'workers', 'fleet.ts', [backend, heartbeat, String(size)]);
            return startGateway(launch, frontend, ['--openapi', echoDocument()]);
          }),
          apply: echoLoad(context.load, WINDOW),
        })),
      },
      context,
    ),
};

function eventSize(events: number): Size {
  return {
    contender: gatewayContender(count(events, 'event'), async (launch) => {
      const { frontend, backend } = await startRouter(launch);
      await startDriver(launch, 'worker', 'worker.ts', ['packed', backend, String(events), '1024']);
      await startDriver(launch, 'client', 'client.ts', ['packed', frontend]);
      return frontend;
    }),
    apply: async (running, seconds) => {
      const client = processNamed(running, 'client');
      await untilServed(client);
      return ask<LoadResult>(client, { window: WINDOW, seconds, events });
    },
  };
}

const events: Scenario = {
  name: 'events',
  title: 'CPU a request by number of events',
  run: (context) =>
    runScaling(
      {
        name: events.name,
        title: events.title,
        about: `Round trips through the router alone, ${WINDOW} in flight, over all events in turn; one worker serves them all.`,
        want: 1.1,
        sizes: [10, 1000, 10_000].map(eventSize),
      },
      context,
    ),
};

/** CPU time per request by number of routes. */
export const routes: Scenario = {
  name: 'routes',
  title: 'CPU a request by number of routes',
  run: (context) =>
    runScaling(
      {
        name: routes.name,
        title: routes.title,
        about: `GET /things-N/7 at ${WINDOW} connections, over all resources in turn; gateway, router and a bare worker.`,
        want: 1.05,
        sizes: [10, 100, 1000].map((size) => ({
          contender: gatewayContender(count(size, 'route'), async (launch) => {
            const { frontend, backend } = await startRouter(launch);
            await startDriver(launch, 'worker', 'worker.ts', ['packed', backend, '0', '1024']);
            return startGateway(launch, frontend, ['--openapi', documentOf(size)]);
          }),
          apply: async ({ at }: { at: string }, seconds: number) => {
            await expectReply({ url: at + thingPath('0', '7'), reply: { id: 7 } });
            const path = thingPath('%d', '7');
            return context.load.run({ origin: at, path, paths: size / 2, connections: WINDOW, seconds });
          },
        })),
      },
      context,
    ),
};

export const scalingScenarios: readonly Scenario[] = [connections, workers, events, routes];
