/** Durable requests: idempotency keys, asynchronous requests, and what a store costs others. */
import type { Contender } from '../lib/contender.ts';
import { bullmq, notStored, stored, storedRows } from '../lib/durable.ts';
import type { HttpLoad } from '../lib/load.ts';
import { POLLED } from '../lib/store-rows.ts';
import { type HttpComparison, httpScenario } from './http.ts';

const CONNECTIONS = 64;
const FEW: Contender = storedRows(1000);
const MANY: Contender = storedRows(1_000_000);

type Load = Omit<HttpLoad, 'origin' | 'seconds'>;

const echo: Load = { path: '/echo', body: '{"message":"hello"}', connections: CONNECTIONS };
const job: Load = { ...echo, path: '/jobs', headers: { Prefer: 'respond-async' } };

const keyed: HttpComparison = {
  name: 'durable-keyed',
  title: 'POST with an Idempotency-Key, 64 connections',
  about:
    'POST /echo with a new Idempotency-Key in each request. The request is on disk before it runs, and its reply before it is sent. The reference has no store and ignores the key.',
  contenders: [stored, notStored],
  load: { ...echo, headers: { 'Idempotency-Key': '"%u"' } },
  reference: notStored.name,
  metric: 'perSecond',
  targets: [],
  rates: [{ contender: stored.name, want: 3000 }],
};

const unkeyed: HttpComparison = {
  name: 'durable-unkeyed',
  title: 'POST without a key, with and without a store, 64 connections',
  about:
    'POST /echo without Idempotency-Key and Prefer, where callers may send both, and where no operation needs a store.',
  contenders: [stored, notStored],
  load: echo,
  reference: notStored.name,
  metric: 'perSecond',
  // The cost is at most 1.02 times as high.
  targets: [{ contender: stored.name, against: notStored.name, want: 0.98 }],
};

const asynchronous: HttpComparison = {
  name: 'durable-async',
  title: 'Asynchronous requests, 64 connections',
  about:
    'POST /jobs, answered 202 once the job is on disk. Workers run the jobs at the same time; the next contender waits until all have ended.',
  contenders: [stored, bullmq],
  load: job,
  reference: bullmq.name,
  metric: 'perSecond',
  targets: [{ contender: stored.name, against: bullmq.name, want: 1.2 }],
  rates: [{ contender: stored.name, want: 2000 }],
  expected: { status: 202 },
  background: true,
};

const manyRowsAccept: HttpComparison = {
  ...asynchronous,
  name: 'durable-rows-accept',
  title: 'Asynchronous requests with 1,000 and 1,000,000 stored requests',
  about: 'POST /jobs, answered 202 once the job is on disk, with stores of different sizes.',
  contenders: [FEW, MANY],
  reference: FEW.name,
  // The cost is at most 1.3 times as high.
  targets: [{ contender: MANY.name, against: FEW.name, want: 0.77 }],
  rates: [],
};

const manyRowsPoll: HttpComparison = {
  ...manyRowsAccept,
  name: 'durable-rows-poll',
  title: 'State of a request with 1,000 and 1,000,000 stored requests',
  about: `GET /requests/{id} of ${POLLED} requests in turn, with stores of different sizes.`,
  load: { path: '/requests/%d', paths: POLLED, connections: CONNECTIONS },
  expected: { status: 200 },
  background: false,
};

/** The scenarios of durable requests. */
export const durableScenarios = [keyed, unkeyed, asynchronous, manyRowsAccept, manyRowsPoll].map(
  httpScenario,
);
