/** Contract of the clock worker (workers/clock.ts): its replies are streams. */
import Joi from 'joi';
import { defineContract, ndjson, sse } from 'zeromq-gateway';

export interface Tick {
  /** Number of the tick. */
  n: number;
  /** Time of the tick. */
  at: string;
}

export interface WatchOptions {
  interval: number;
}

export interface TickOptions extends WatchOptions {
  count: number;
}

const interval = Joi.number()
  .integer()
  .min(10)
  .max(60_000)
  .default(1000)
  .description('Milliseconds between two ticks.');
const tick = Joi.object<Tick>({
  n: Joi.number().integer().required(),
  at: Joi.string().isoDate().required(),
});

export default defineContract({
  name: 'clock',
  info: { title: 'Clock', version: '1.0.0', description: 'Ticks.' },
  events: {
    'clock.watch': {
      method: 'GET',
      path: '/clock/events',
      summary: 'Watch the clock',
      tags: ['clock'],
      data: Joi.object<WatchOptions>({ interval }),
      replies: { 200: sse(tick, { resumable: true, description: 'Ticks, as server-sent events.' }) },
    },
    'clock.ticks': {
      method: 'GET',
      path: '/clock/ticks',
      summary: 'Get some ticks',
      tags: ['clock'],
      data: Joi.object<TickOptions>({ interval, count: Joi.number().integer().min(1).max(1000).default(10) }),
      replies: { 200: ndjson(tick, { description: 'Ticks, one in each line.' }) },
    },
  },
});
