/** The cost of counting a request, and of generating a scrape. */
import {
  diagnostics,
  type HttpAnswered,
  type RequestSettled,
} from '../../src/core/observability/diagnostics.ts';
import { Metrics } from '../../src/metrics/index.ts';
import type { MicroSuite } from './task.ts';

const REQUESTS = 1000;
const EVENTS = Array.from({ length: 10 }, (_, index) => `event-${index}`);

function settled(kind: RequestSettled['kind'], eventName: string, duration: number): RequestSettled {
  const times = { duration, queueTime: duration / 4, handlerTime: duration / 2 };
  return { kind, node: 'n', eventName, requestId: 'r', status: 200, code: '', dispatched: true, ...times };
}

/** Publishes the events that gateway and router of one process publish for a request. */
function publish(index: number): void {
  const eventName = EVENTS[index % EVENTS.length] ?? '';
  const duration = 0.1 + (index % 100) / 10;
  const { requestSettled, httpAnswered } = diagnostics;
  if (requestSettled.hasSubscribers) {
    requestSettled.publish(settled('router', eventName, duration));
    requestSettled.publish(settled('gateway', eventName, duration));
  }
  if (httpAnswered.hasSubscribers) {
    const about = {
      method: 'GET',
      route: eventName,
      path: '',
      status: 200,
      code: '',
      detail: '',
      client: '',
      caller: '',
    };
    const answered: HttpAnswered = {
      kind: 'gateway',
      node: 'g',
      eventName,
      requestId: 'r',
      duration,
      ...about,
    };
    httpAnswered.publish(answered);
  }
}

function requests(): void {
  for (let index = 0; index < REQUESTS; index += 1) publish(index);
}

export function metricsSuite(): MicroSuite {
  const metrics = new Metrics('0.0.0');
  return {
    title: 'Metrics: a request through gateway and router of one process, and a scrape',
    tasks: [
      { name: 'a request, counted', units: REQUESTS, run: requests },
      { name: 'a scrape, 10 events', units: 1, run: () => void metrics.text() },
    ],
  };
}
