/**
 * Large hellos: CPU time of the steps that the router does not divide, and the longest pause of a
 * router process while one peer sends hellos in a loop and a client sends requests.
 *
 *     node --import tsx bench/micro/hellos.ts
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dealer } from 'zeromq';
import { ZeroMQClient, ZeroMQWorker } from '../../src/index.ts';
import { readAnnouncement } from '../../src/router/backend/announcement.ts';
import { Broker } from '../../src/router/broker/broker.ts';
import type { WorkerPort } from '../../src/router/broker/worker.ts';
import { controlData, controlFrames, readHello } from '../../src/wire/control.ts';

const EVENTS = 50_000;
const OPERATIONS = 2000;
const ROUNDS = 5;
/** Duration of a measurement with processes, in ms. */
const DURATION = 6000;
/** Time between two hellos of the peer, in ms. */
const HELLO_INTERVAL = 20;

function names(from: number): string[] {
  return Array.from({ length: EVENTS }, (_, index) => `event.${from + index}`);
}

function helloOfEvents(round: number): object {
  return { v: 1, pack: 1, concurrency: 1, events: names(round * EVENTS) };
}

function helloOfContract(version: number): object {
  const paths: Record<string, unknown> = {};
  const schemas: Record<string, unknown> = {};
  const events: string[] = [];
  for (let index = 0; index < OPERATIONS; index++) {
    const schema = { $ref: `#/components/schemas/S${index}` };
    const name = { type: 'string', maxLength: 100 + version };
    schemas[`S${index}`] = { type: 'object', properties: { id: { type: 'integer' }, name } };
    events.push(`event.${index}`);
    paths[`/things/${index}`] = {
      post: {
        'x-event-name': `event.${index}`,
        requestBody: { content: { 'application/json': { schema } } },
        responses: { 200: { description: 'Done', content: { 'application/json': { schema } } } },
      },
    };
  }
  const info = { title: 'Things', version: '1' };
  const fragment = { openapi: '3.1.0', info, paths, components: { schemas } };
  return { v: 1, pack: 1, concurrency: 1, events, contract: { name: 'things', fragment } };
}

function report(name: string, value: string): void {
  console.log(`  ${name.padEnd(52)} ${value.padStart(24)}`);
}

/** CPU times of several rounds by step. */
class Steps {
  private readonly times = new Map<string, number[]>();

  /** Runs a step and records its CPU time, in ms. */
  run<T>(name: string, step: () => T): T {
    const start = process.cpuUsage();
    const result = step();
    const { user, system } = process.cpuUsage(start);
    this.times.set(name, [...(this.times.get(name) ?? []), (user + system) / 1000]);
    return result;
  }

  report(): void {
    for (const [name, times] of this.times) {
      const [least = 0, most = 0] = [Math.min(...times), Math.max(...times)];
      report(name, `${least.toFixed(0)} to ${most.toFixed(0)} ms CPU`);
    }
  }
}

function measureReading(title: string, make: (round: number) => object): void {
  const steps = new Steps();
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const frame = Buffer.from(JSON.stringify(make(round)));
    bytes = frame.length;
    const data = steps.run('JSON.parse', () => controlData(frame));
    const hello = steps.run('members of the hello', () => readHello(data));
    if (typeof hello === 'string') throw new Error(hello);
    steps.run('claims of the contract', () => readAnnouncement(hello));
    if (hello.contract) steps.run('text of the contract', () => JSON.stringify(hello.contract?.fragment));
  }
  console.log(`Reading a hello: ${title}, ${bytes} bytes`);
  steps.report();
}

function measureTable(): void {
  const port: WorkerPort = { dispatch: () => true, cancel: () => undefined };
  const steps = new Steps();
  for (let round = 0; round < ROUNDS; round++) {
    const core = new Broker();
    const lists = [names(0), names(1), names(2 * EVENTS)];
    const [first, second, third] = lists;
    const worker = steps.run('add', () =>
      core.addWorker(port, { id: 'w', events: first, concurrency: 1 }, 0),
    );
    steps.run('replace one event', () => core.updateWorker(worker, { events: second }, 0));
    steps.run('replace all events', () => core.updateWorker(worker, { events: third }, 0));
    steps.run('remove', () => core.removeWorker(worker, 0));
  }
  console.log(`Events of a worker in the router's core: ${EVENTS} events`);
  steps.report();
}

interface Usage {
  /** Longest event loop delay, in ms. */
  readonly longest: number;
  /** CPU time, in ms. */
  readonly cpu: number;
}

/** A router process with an echo worker and a client in this process. */
async function measureLoops(loops: ReadonlyMap<string, readonly object[]>): Promise<void> {
  const router = fork(new URL('hellos-router.ts', import.meta.url), { execArgv: ['--import', 'tsx'] });
  const [{ frontend, backend }] = (await once(router, 'message')) as [{ frontend: string; backend: string }];
  const usage = async (): Promise<Usage> => {
    router.send('report');
    return ((await once(router, 'message')) as [Usage])[0];
  };
  const worker = new ZeroMQWorker({ connection: backend, handlers: { echo: (data) => data } });
  const client = new ZeroMQClient({ connection: frontend });
  await worker.start();
  const echo = (): Promise<unknown> => client.sendMessage('echo', 1);
  for (const [title, hellos] of loops) {
    const peer = new Dealer({ routingId: `$hello.bench.${title}`, linger: 0 });
    peer.connect(backend);
    const messages = hellos.map((hello) => controlFrames('$hello', hello));
    await echo();
    await usage();
    const end = performance.now() + DURATION;
    let worst = 0;
    for (let count = 0; performance.now() < end; count++) {
      const message = messages[count % messages.length];
      if (message !== undefined) await peer.send(message);
      const sent = performance.now();
      await echo();
      worst = Math.max(worst, performance.now() - sent);
      await sleep(HELLO_INTERVAL);
    }
    const { longest, cpu } = await usage();
    console.log(title);
    report('longest pause of the event loop', `${longest.toFixed(0)} ms`);
    report('slowest request of another client', `${worst.toFixed(0)} ms`);
    report('CPU time of the router', `${((100 * cpu) / DURATION).toFixed(1)} % of a core`);
    peer.close();
  }
  await client.close();
  await worker.stop();
  router.disconnect();
  await once(router, 'exit');
}

measureReading(`${EVENTS} events`, helloOfEvents);
measureReading(`${OPERATIONS} operations`, helloOfContract);
measureTable();
console.log(`Hellos in a loop, one every ${HELLO_INTERVAL} ms for ${DURATION / 1000} s`);
await measureLoops(
  new Map([
    ['no hellos', []],
    [`${OPERATIONS} operations, changed each time`, [0, 1, 2, 3, 4].map(helloOfContract)],
    [`${EVENTS} events, changed each time`, [0, 1, 2].map(helloOfEvents)],
    [`${OPERATIONS} operations, unchanged`, [helloOfContract(0)]],
  ]),
);
