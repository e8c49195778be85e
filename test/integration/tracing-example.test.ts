// test:all: 10 s; tracing.test.ts represents it
/**
 * examples/tracing: the spans of a request through `up`, threads included, arrive at a collector.
 */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FREE_PORTS, MAIN, urlIn } from '../helpers/command.ts';
import { emissions, eventually } from '../helpers/eventually.ts';
import { closeServer, listenOnFreePort } from '../helpers/gateway/hosts.ts';
import { startProcess } from '../helpers/processes.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

const SETUP = fileURLToPath(new URL('../../examples/tracing/tracing.mjs', import.meta.url));

interface Span {
  name: string;
  traceId: string;
}

interface Exported {
  resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
}

test('examples/tracing: exports the spans of gateway, queue and handler in one trace', async (t) => {
  const scope = scopeOf(t);
  const spans: Span[] = [];
  const news = new EventEmitter();
  const collector = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      const { resourceSpans } = JSON.parse(Buffer.concat(parts).toString()) as Exported;
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((one) => one.spans)));
      res.end('{}');
      news.emit('spans');
    });
  });
  scope.after(() => closeServer(collector));
  const port = await listenOnFreePort(collector);
  const node = startProcess(
    scope,
    process.execPath,
    ['--import', SETUP, MAIN, 'up', '--port', '0', '--admin', 'off', ...FREE_PORTS],
    {
      cwd: tempFolder(scope),
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, ZMQ_GATEWAY_DATA: tempFolder(scope) },
    },
  );
  const url = urlIn(await node.waitForLine(/ is ready: /));
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
  assert.equal((await fetch(`${url}/echo/hello`, { headers })).status, 200);
  const ours = () => spans.filter((span) => span.traceId === traceId).map(({ name }) => name);
  await eventually(emissions(news, 'spans'), () => ours().length === 3, 'three spans');
  assert.deepEqual(ours().sort(), ['GET /echo/{message}', 'process echo.get', 'queue echo.get']);
});
