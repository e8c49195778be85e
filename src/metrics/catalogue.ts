/**
 * All metrics of this package. The code, the docs, the dashboard and the alert rules are checked
 * against this list.
 */

/** Definition of a metric. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** How values of several processes are combined. Default: `sum`. */
  readonly aggregate?: 'sum' | 'max' | 'min' | 'first';
}

/** Prefix of all metric names. */
const PREFIX = 'zeromq_gateway_';

/** The metrics, by name without the prefix. */
export const METRICS = {
  http_requests_total: {
    type: 'counter',
    help: 'HTTP requests answered, by method, route of the document and status; route is none for unknown paths',
    labels: ['method', 'route', 'status'],
  },
  http_request_seconds: {
    type: 'histogram',
    help: 'Time from the headers of an HTTP request to its response',
    labels: ['method', 'route'],
  },
  requests_total: {
    type: 'counter',
    help: 'Requests settled, by kind of node, event and outcome code; code is OK for a success',
    labels: ['kind', 'event', 'code'],
  },
  calls_total: {
    type: 'counter',
    help: 'Of the requests of routers, those that handlers of workers sent (context.call), by event and outcome code',
    labels: ['event', 'code'],
  },
  version_requests_total: {
    type: 'counter',
    help: 'Requests that workers of a version of a contract settled, by event, version and outcome code',
    labels: ['event', 'version', 'code'],
  },
  request_seconds: {
    type: 'histogram',
    help: 'Time from the arrival of a request at the node to its outcome',
    labels: ['kind', 'event'],
  },
  queue_seconds: {
    type: 'histogram',
    help: 'Time that a request was queued in the router',
    labels: ['event'],
  },
  handler_seconds: {
    type: 'histogram',
    help: 'Time from dispatching a request to a worker until its reply',
    labels: ['event'],
  },
  in_flight: {
    type: 'gauge',
    help: 'Requests in flight: in a gateway from HTTP request to response, in a router those dispatched to workers, in a worker or server those that it holds',
    labels: ['kind'],
  },
  concurrency: {
    type: 'gauge',
    help: 'Requests that the workers or the server of the process run at a time, at most',
    labels: ['kind'],
  },
  router_connections: {
    type: 'gauge',
    help: 'Connections of workers to routers, by state: connecting, connected, accepted, rejected',
    labels: ['state'],
  },
  refusals_total: {
    type: 'counter',
    help: 'Times that a router rejected a worker of the process',
    labels: [],
  },
  streams: {
    type: 'gauge',
    help: 'Streams in flight, which in_flight includes: in a gateway requests of operations with streams, in a router those that have moved a chunk',
    labels: ['kind'],
  },
  streams_total: {
    type: 'counter',
    help: 'Streams that have ended at the gateway, by outcome code; code is OK for a success',
    labels: ['code'],
  },
  streams_resumed_total: {
    type: 'counter',
    help: 'Times that server-sent events continued on another worker',
    labels: [],
  },
  stream_chunks_total: {
    type: 'counter',
    help: 'Chunks of streams at the gateway, of replies and of request bodies',
    labels: ['direction'],
  },
  stream_bytes_total: {
    type: 'counter',
    help: 'Bytes of streams at the gateway, of replies and of request bodies',
    labels: ['direction'],
  },
  stream_stalls_total: {
    type: 'counter',
    help: 'Times that a reply waited for its client to read, or a request body for its worker',
    labels: ['direction'],
  },
  stored_requests: {
    type: 'gauge',
    help: 'Requests in the store of gateways, by state; gateways with the same store report the same',
    labels: ['state'],
    aggregate: 'max',
  },
  stored_bytes: {
    type: 'gauge',
    help: 'Bytes of data and replies in the store of gateways',
    labels: [],
    aggregate: 'max',
  },
  stored_oldest_seconds: {
    type: 'gauge',
    help: 'Age of the oldest stored request that has not ended; 0 without one',
    labels: [],
    aggregate: 'max',
  },
  idempotency_keys_total: {
    type: 'counter',
    help: 'Requests with an idempotency key: run, replayed, or rejected as running, reused, unknown or otherwise',
    labels: ['result'],
  },
  queue_depth: { type: 'gauge', help: 'Requests queued in the router', labels: ['event'] },
  queue_bytes: { type: 'gauge', help: 'Bytes counted for requests queued in the router', labels: [] },
  workers: {
    type: 'gauge',
    help: 'Workers of the router by event and state; event is * for workers that serve unannounced events',
    labels: ['event', 'state'],
  },
  oldest_request_seconds: {
    type: 'gauge',
    help: 'Time since the oldest request that workers of the router hold was dispatched, by event; streams are included',
    labels: ['event'],
    aggregate: 'max',
  },
  load: {
    type: 'gauge',
    help: 'Requests that workers hold or that are queued for them, divided by the concurrency of these workers, by event and contract; event is * for all events of the contract. Above 1 requests wait',
    labels: ['contract', 'event'],
  },
  breakers: {
    type: 'gauge',
    help: 'Circuit breakers that are not closed, by event and state; scope is worker for breakers of one worker, event for breakers of all workers',
    labels: ['event', 'scope', 'state'],
  },
  workers_joined_total: { type: 'counter', help: 'Workers that joined', labels: [] },
  workers_left_total: {
    type: 'counter',
    help: 'Workers that left or were lost, by reason',
    labels: ['reason'],
  },
  workers_refused_total: {
    type: 'counter',
    help: 'Workers that the router rejected, by cause: contract, or announcement (events, permissions, protocol)',
    labels: ['cause'],
  },
  reloads_total: {
    type: 'counter',
    help: 'Files that were read again, by kind and result; after failed the previous content stays in use',
    labels: ['what', 'result'],
  },
  clients: { type: 'gauge', help: 'Clients and gateways that the router knows', labels: [] },
  redispatches_total: {
    type: 'counter',
    help: 'Requests of lost workers: redispatched, or denied by the retry budget',
    labels: ['result'],
  },
  heartbeats_missed_total: {
    type: 'counter',
    help: 'Checks that found a node silent for too long, by type of node',
    labels: ['peer'],
  },
  heartbeats_lost_total: {
    type: 'counter',
    help: 'Nodes that missed too many heartbeats and count as dead, by type of node',
    labels: ['peer'],
  },
  reconnects_total: { type: 'counter', help: 'Attempts to reconnect', labels: ['kind'] },
  batch_records: { type: 'histogram', help: 'Records in a packed message that was sent', labels: ['kind'] },
  batch_bytes: { type: 'histogram', help: 'Bytes of a packed message that was sent', labels: ['kind'] },
  frames_dropped_total: {
    type: 'counter',
    help: 'Messages and records dropped as malformed or unexpected, by cause',
    labels: ['kind', 'cause'],
  },
  ready: {
    type: 'gauge',
    help: '1 if the process can serve, else 0; the same as /readyz',
    labels: [],
    aggregate: 'min',
  },
  processes: { type: 'gauge', help: 'Processes that answered this scrape', labels: [] },
  build_info: {
    type: 'gauge',
    help: 'Always 1; version is the version of the package',
    labels: ['version'],
    aggregate: 'first',
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;

/** The full name of a metric. */
export function fullName(name: MetricName): string {
  return PREFIX + name;
}
