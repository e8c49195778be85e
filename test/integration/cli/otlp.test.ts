// test:all: 10 s; ../tracing.test.ts represents it
/** `--otlp`: traces and metrics of a command arrive at a collector. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { FREE_PORTS, startNode, urlIn } from '../../helpers/command.ts';
import { emissions, eventually } from '../../helpers/eventually.ts';
import { closeServer, listenOnFreePort } from '../../helpers/gateway/hosts.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

interface Value {
  readonly stringValue?: string;
}

interface Attribute {
  readonly key: string;
  readonly value: Value;
}

interface Resource {
  readonly attributes: Attribute[];
}

interface Span {
  readonly name: string;
  readonly traceId: string;
}

interface Point {
  readonly attributes: Attribute[];
  readonly asDouble?: number;
  readonly count?: number;
  readonly bucketCounts?: number[];
}

interface Metric {
  readonly name: string;
  readonly sum?: { readonly dataPoints: Point[]; readonly isMonotonic: boolean };
  readonly histogram?: { readonly dataPoints: Point[] };
}

interface Exported {
  readonly resourceSpans?: {
    readonly resource: Resource;
    readonly scopeSpans: { readonly spans: Span[] }[];
  }[];
  readonly resourceMetrics?: { readonly scopeMetrics: { readonly metrics: Metric[] }[] }[];
}

test('--otlp: exports spans of all threads in one trace, and the metrics, and logs the trace', async (t) => {
  const scope = scopeOf(t);
  const spans: Span[] = [];
  const services = new Set<string | undefined>();
  let metrics = new Map<string, Metric>();
  const news = new EventEmitter();
  const collector = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      const { resourceSpans = [], resourceMetrics = [] } = JSON.parse(
        Buffer.concat(parts).toString(),
      ) as Exported;
      for (const { resource, scopeSpans } of resourceSpans) {
        const name = resource.attributes.find(({ key }) => key === 'service.name');
        services.add(name?.value.stringValue);
        spans.push(...scopeSpans.flatMap((one) => one.spans));
      }
      for (const { scopeMetrics } of resourceMetrics)
        for (const one of scopeMetrics) metrics = new Map(one.metrics.map((metric) => [metric.name, metric]));
      res.end('{}');
      news.emit('data');
    });
  });
  scope.after(() => closeServer(collector));
  const port = await listenOnFreePort(collector);
  const args = ['up', '--python', 'off', '--admin', 'off', '--port', '0'];
  const { node, line } = await startNode(
    scope,
    [...args, '--access-log', '--otlp', `http://127.0.0.1:${port}/`, ...FREE_PORTS],
    { env: { OTEL_METRIC_EXPORT_INTERVAL: '300', ZMQ_GATEWAY_DATA: tempFolder(scope) } },
  );
  const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
  assert.equal((await fetch(`${urlIn(line)}/echo/hello`, { headers })).status, 200);
  await node.waitForError(new RegExp(`"traceId":"${TRACE}"`));
  const ours = () => spans.filter(({ traceId }) => traceId === TRACE).map(({ name }) => name);
  await eventually(emissions(news, 'data'), () => ours().length === 3, 'three spans');
  assert.deepEqual(ours().sort(), ['GET /echo/{message}', 'process echo.get', 'queue echo.get']);
  assert.deepEqual([...services], ['zeromq-gateway-up']);

  const settled = () =>
    metrics
      .get('zeromq_gateway_requests_total')
      ?.sum?.dataPoints.find(({ attributes }) =>
        ['router', 'echo.get', 'OK'].every((text) =>
          attributes.some(({ value }) => value.stringValue === text),
        ),
      );
  await eventually(emissions(news, 'data'), () => settled()?.asDouble === 1, 'the request in the metrics');
  assert.equal(metrics.get('zeromq_gateway_requests_total')?.sum?.isMonotonic, true);
  const [http] = metrics.get('zeromq_gateway_http_request_seconds')?.histogram?.dataPoints ?? [];
  assert.equal(http?.count, 1);
  assert.equal(
    http?.bucketCounts?.reduce((sum, count) => sum + count),
    1,
  );
});
