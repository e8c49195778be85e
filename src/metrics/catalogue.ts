/** Every metric of ours: the one list that code, docs, dashboard and alert rules are held to. */

/** What a metric is. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** How values of several processes become one. Default `sum`. */
  readonly aggregate?: 'sum' | 'max' | 'min' | 'first';
}

/** What all names start with. */
const PREFIX = 'zeromq_gateway_';

/** By name without the prefix. */
export const METRICS = {
  http_requests_total: {
    type: 'counter',
    help: 'HTTP requests answered, by method, path of the document and status; route is none where nothing is at the path',
    labels: ['method', 'route', 'status'],
  },
  http_request_seconds: {
    type: 'histogram',
    help: 'Time from the headers of an HTTP request to its answer',
    labels: ['method', 'route'],
  },
  requests_total: {
    type: 'counter',
    help: 'Requests settled, by kind of node, event and outcome code; code is OK on success',
    labels: ['kind', 'event', 'code'],
  },
  request_seconds: {
    type: 'histogram',
    help: 'Time from the arrival of a request at the node to its outcome',
    labels: ['kind', 'event'],
  },
  queue_seconds: {
    type: 'histogram',
    help: 'Time that a request waited in the router for a worker',
    labels: ['event'],
  },
  handler_seconds: {
    type: 'histogram',
    help: 'Time from giving a request to a worker to its reply',
    labels: ['event'],
  },
  in_flight: {
    type: 'gauge',
    help: 'Requests under way: in a gateway from HTTP request to answer, in a router at workers',
    labels: ['kind'],
  },
  queue_depth: { type: 'gauge', help: 'Requests that wait in the router for a worker', labels: ['event'] },
  queue_bytes: { type: 'gauge', help: 'Memory counted for requests that wait in the router', labels: [] },
  workers: {
    type: 'gauge',
    help: 'Workers of the router by event and state; event is * for those that serve whatever nobody announced',
    labels: ['event', 'state'],
  },
  breakers: {
    type: 'gauge',
    help: 'Circuit breakers that are not closed, by event and state; scope is worker for those of one worker, event for those of all',
    labels: ['event', 'scope', 'state'],
  },
  workers_joined_total: { type: 'counter', help: 'Workers that came', labels: [] },
  workers_left_total: { type: 'counter', help: 'Workers that went, and why', labels: ['reason'] },
  clients: { type: 'gauge', help: 'Clients and gateways that the router knows', labels: [] },
  redispatches_total: {
    type: 'counter',
    help: 'Requests of lost workers: sent to another worker, or denied by the retry budget',
    labels: ['result'],
  },
  heartbeats_missed_total: {
    type: 'counter',
    help: 'Checks that found a node silent for too long, by its type',
    labels: ['peer'],
  },
  heartbeats_lost_total: {
    type: 'counter',
    help: 'Nodes that missed too many heartbeats and count as dead, by type',
    labels: ['peer'],
  },
  reconnects_total: { type: 'counter', help: 'Attempts to connect again', labels: ['kind'] },
  batch_records: { type: 'histogram', help: 'Records of a packed message that left', labels: ['kind'] },
  batch_bytes: { type: 'histogram', help: 'Bytes of a packed message that left', labels: ['kind'] },
  frames_dropped_total: {
    type: 'counter',
    help: 'Messages and records that were malformed or fitted nothing, by cause',
    labels: ['kind', 'cause'],
  },
  ready: {
    type: 'gauge',
    help: '1 when the process can serve, 0 when not: what /readyz answers',
    labels: [],
    aggregate: 'min',
  },
  processes: { type: 'gauge', help: 'Processes that answered this scrape', labels: [] },
  build_info: {
    type: 'gauge',
    help: 'Always 1; version is that of the package',
    labels: ['version'],
    aggregate: 'first',
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;

/** The full name of a metric. */
export function fullName(name: MetricName): string {
  return PREFIX + name;
}
