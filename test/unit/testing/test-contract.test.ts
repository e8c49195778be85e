// test:all: 10 s; ../../integration/gateway-parameters.test.ts uses what it tests
/** Contract tests: a conforming service passes, and each way to break a contract is found. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  ContractTestError,
  type ContractTestOptions,
  type TestWorker,
  testContract,
  testWorker,
} from 'zeromq-gateway/testing';
import { tempFolder } from '../../helpers/temp.ts';
import { conforming, DOCUMENT } from './contract-fixture.ts';

let worker: TestWorker;
before(async () => {
  worker = await testWorker(conforming, { openapi: DOCUMENT });
});
after(() => worker.close());

/** A request, and the response of a conforming service. */
interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly response: Response;
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'x-total': '1', ...headers },
  });

/** Tests a service that is broken in one way. */
async function broken(
  change: (exchange: Exchange) => Response | undefined | Promise<Response | undefined>,
  options: ContractTestOptions = {},
): Promise<ContractTestError> {
  const fetch: ContractTestOptions['fetch'] = async (input, init) => {
    const response = await worker.fetch(input, init);
    const url = new URL(input);
    const body = typeof init?.body === 'string' ? init.body : '';
    return (await change({ method: init?.method ?? '', url, body, response })) ?? response;
  };
  const tested = testContract(DOCUMENT, 'http://localhost', { ...options, fetch });
  return tested.then(
    () => assert.fail('nothing was found'),
    (error: unknown) => {
      assert.ok(error instanceof ContractTestError, String(error));
      return error;
    },
  );
}

const isItem = ({ method, response }: Exchange): boolean => method === 'GET' && response.status === 200;
const isAdd = ({ method, response }: Exchange): boolean => method === 'POST' && response.status === 201;
const item = { id: 1, name: 'bolt' };

/** Ways to break the contract: name, the change, and what the report says of it. */
const BROKEN: [name: string, change: (exchange: Exchange) => Response | undefined, found: RegExp][] = [
  [
    'a status that is not listed',
    (e) => (isItem(e) ? json(item, 202) : undefined),
    /status 202 is not listed; listed are 200/,
  ],
  ['404 that is not listed', (e) => (isItem(e) ? json({}, 404) : undefined), /status 404 is not listed/],
  [
    'a failure of the server',
    (e) => (isItem(e) ? json({}, 500) : undefined),
    /status 500: the server failed/,
  ],
  [
    'a listed failure of the server',
    (e) => (isItem(e) ? json({}, 503) : undefined),
    /status 503: the server failed/,
  ],
  [
    'a missing member',
    (e) => (isItem(e) ? json({ id: 1 }) : undefined),
    /the body must have required property 'name'/,
  ],
  [
    'a member of another type',
    (e) => (isItem(e) ? json({ ...item, id: '1' }) : undefined),
    /the body at \/id must be integer/,
  ],
  [
    'a number below its minimum',
    (e) => (isItem(e) ? json({ ...item, id: 0 }) : undefined),
    /the body at \/id must be >= 1/,
  ],
  [
    'a text that is too long',
    (e) => (isItem(e) ? json({ ...item, name: 'x'.repeat(11) }) : undefined),
    /at \/name must NOT have more than 10 characters/,
  ],
  [
    'a value that is not listed',
    (e) => (isItem(e) ? json({ ...item, kind: 'c' }) : undefined),
    /at \/kind must be equal to one of the allowed values/,
  ],
  [
    'a member that is not described',
    (e) => (isItem(e) ? json({ ...item, extra: 1 }) : undefined),
    /must NOT have additional properties \(extra\)/,
  ],
  [
    'a wrong format',
    (e) => (isItem(e) ? json({ ...item, created: 'yesterday' }) : undefined),
    /at \/created must match format "date-time"/,
  ],
  [
    'null that is not allowed',
    (e) => (isItem(e) ? json({ ...item, tags: null }) : undefined),
    /at \/tags must be array/,
  ],
  [
    'a body that is not JSON',
    (e) =>
      isItem(e)
        ? new Response('{', { headers: { 'content-type': 'application/json', 'x-total': '1' } })
        : undefined,
    /the body is not JSON/,
  ],
  [
    'another content type',
    (e) => (isItem(e) ? json(item, 200, { 'content-type': 'text/plain' }) : undefined),
    /content type text\/plain is not listed; listed are application\/json/,
  ],
  [
    'a missing header',
    (e) =>
      isItem(e)
        ? new Response(JSON.stringify(item), { headers: { 'content-type': 'application/json' } })
        : undefined,
    /the required header X-Total is missing/,
  ],
  [
    'an invalid problem document',
    (e) =>
      e.response.status === 400
        ? new Response('{"status": 422}', {
            status: 400,
            headers: { 'content-type': 'application/problem+json' },
          })
        : undefined,
    /status of the problem document is 422, not 400/,
  ],
  [
    'a path parameter beyond its maximum is accepted',
    (e) => (e.url.pathname === '/items/1001' ? json(item) : undefined),
    /path parameter id: 1001, beyond the bound[\s\S]*accepted an invalid request/,
  ],
  [
    'a path parameter of another type is accepted',
    (e) => (e.url.pathname === '/items/text' ? json(item) : undefined),
    /accepted an invalid request/,
  ],
  [
    'a missing header is accepted',
    (e) => (e.method === 'GET' && e.response.status === 400 ? json(item) : undefined),
    /without the header parameter X-Trace\n.*accepted an invalid request/,
  ],
  [
    'an unknown value of a list is accepted',
    (e) => (/not-a-listed-value/.test(e.url.search) ? json(item) : undefined),
    /query parameter fields: [\s\S]*accepted an invalid request/,
  ],
  [
    'a missing body is accepted',
    (e) => (e.method === 'POST' && e.body === '' ? json(item, 201) : undefined),
    /without a body\n.*accepted an invalid request/,
  ],
  [
    'a body that is not JSON is accepted',
    (e) => (e.body === '{"broken' ? json(item, 201) : undefined),
    /a body that is not JSON\n.*accepted an invalid request/,
  ],
  [
    'another media type is accepted',
    (e) => (e.response.status === 415 ? json(item, 201) : undefined),
    /a body of another media type\n.*accepted an invalid request/,
  ],
  [
    'a body without a required member is accepted',
    (e) =>
      e.method === 'POST' && e.response.status === 400 && !/"name"/.test(e.body) && e.body.startsWith('{"id"')
        ? json(item, 201)
        : undefined,
    /the body: without name\n.*accepted an invalid request/,
  ],
  [
    'an item twice is accepted',
    (e) =>
      e.method === 'POST' && e.response.status === 400 && /"tags":\["(\w+)",(?:"\w+",)*"\1"\]/.test(e.body)
        ? json(item, 201)
        : undefined,
    /\/tags: (an item twice|\d items)\n.*accepted an invalid request/,
  ],
  [
    'an invalid body makes the server fail',
    (e) => (e.method === 'POST' && e.response.status === 400 ? json({}, 500) : undefined),
    /status 500: the server failed/,
  ],
  [
    'the longest text is rejected',
    (e) => (isAdd(e) && /"name":"[^"]{10}"/.test(e.body) ? json({}, 400) : undefined),
    /the server rejected a request that the document allows/,
  ],
  [
    'the other media type is rejected',
    (e) => (isAdd(e) && e.body.startsWith('name=') ? json({}, 415) : undefined),
    /a body of application\/x-www-form-urlencoded\n.*status 415: the server rejected/,
  ],
];

describe('testContract', () => {
  it('a conforming service passes, with requests of all kinds to all operations', async () => {
    const report = await testContract(DOCUMENT, 'http://localhost', { fetch: worker.fetch });
    assert.equal(report.complete, true);
    assert.deepEqual(report.failures, []);
    const [get, add, clear] = report.operations;
    assert.ok(get && add && clear);
    for (const one of [get, add]) {
      for (const kind of ['valid', 'boundary', 'invalid'] as const)
        assert.ok(one.requests[kind] >= 5, `${one.operation} ${kind}`);
      assert.deepEqual(one.gaps, []);
    }
    assert.equal(get.statuses['200'], get.requests.valid + get.requests.boundary);
    assert.equal(get.statuses['400'], get.requests.invalid);
    assert.equal(clear.operation, 'DELETE /items');
    assert.deepEqual(clear.statuses, { 204: clear.requests.valid });
    assert.equal(
      report.requests,
      [get, add, clear].reduce((sum, { requests: r }) => sum + r.valid + r.boundary + r.invalid, 0),
    );
  });

  for (const [name, change, found] of BROKEN) {
    it(`finds ${name}`, async () => {
      const { message, report } = await broken(change);
      const text = report.failures
        .map((one) => `${one.operation}: ${one.what}\n${one.problems.join('\n')}`)
        .join('\n\n');
      assert.match(text, found);
      assert.match(message, /responses do not conform to the document \(seed 1\)/);
      assert.match(message, /\n {2}curl -i -X \w+ 'http:\/\/localhost\/items/);
    });
  }

  it('finds a service that never responds', async () => {
    const silent = (_input: string, init?: RequestInit): Promise<Response> =>
      new Promise((_, reject) =>
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
      );
    const hold = setInterval(() => undefined, 1000);
    const tested = testContract(DOCUMENT, 'http://localhost', { fetch: silent, timeout: 20, maxRequests: 2 });
    await assert.rejects(tested, /no response within 20 ms/);
    clearInterval(hold);
  });

  it('the same seed sends the same requests, another seed others', async () => {
    const sent = async (seed: number): Promise<string[]> => {
      const targets: string[] = [];
      const fetch: ContractTestOptions['fetch'] = (input, init) => {
        targets.push(`${init?.method} ${input} ${typeof init?.body === 'string' ? init.body : ''}`);
        return worker.fetch(input, init);
      };
      await testContract(DOCUMENT, 'http://localhost', { seed, fetch });
      return targets;
    };
    const first = await sent(5);
    assert.deepEqual(await sent(5), first);
    assert.notDeepEqual(await sent(6), first);
  });

  it('limits the number of requests, which the operations share', async () => {
    const report = await testContract(DOCUMENT, 'http://localhost', { fetch: worker.fetch, maxRequests: 6 });
    assert.equal(report.requests, 6);
    assert.equal(report.complete, false);
    assert.ok(report.operations.every(({ requests }) => requests.valid >= 1));
  });

  it('limits the time', async () => {
    const report = await testContract(DOCUMENT, 'http://localhost', { fetch: worker.fetch, maxTime: 0 });
    assert.deepEqual([report.requests, report.complete], [0, false]);
  });

  it('selects operations, and sends the headers of the options', async () => {
    const seen = new Set<string>();
    const report = await testContract(DOCUMENT, 'http://localhost', {
      include: ({ method }) => method === 'delete',
      headers: { authorization: 'Bearer x' },
      fetch: (input, init) => {
        seen.add(new Headers(init?.headers).get('authorization') ?? '');
        return worker.fetch(input, init);
      },
    });
    assert.deepEqual(
      report.operations.map(({ operation }) => operation),
      ['DELETE /items'],
    );
    assert.deepEqual([...seen], ['Bearer x']);
    await assert.rejects(
      testContract(DOCUMENT, 'http://localhost', { include: () => false }),
      /no operation is selected/,
    );
  });

  it('responses to rate limits show nothing', async () => {
    const { report } = await broken((e) =>
      e.method === 'DELETE' ? json({}, 429) : isItem(e) ? json({}, 500) : undefined,
    );
    const clear = report.operations.find(({ operation }) => operation === 'DELETE /items');
    assert.ok(clear !== undefined && clear.skipped === clear.requests.valid && clear.failures === 0);
  });

  it('the command line of a failure repeats the request', async () => {
    const { report } = await broken((e) => (isAdd(e) ? json({}, 500) : undefined), {
      headers: { 'x-key': "it's" },
    });
    const [failure] = report.failures;
    assert.ok(failure);
    assert.match(
      failure.curl,
      /^curl -i -X POST 'http:\/\/localhost\/items' -H 'x-key: it'\\''s' -H 'content-type: application\/json' --data-binary '\{"id":/,
    );
    assert.deepEqual([failure.kind, failure.status, failure.body], ['valid', 500, '{}']);
  });

  it('reads the document from a file or URL, and sends requests to a port', async (t) => {
    const file = path.join(tempFolder(t), 'items.json');
    writeFileSync(file, JSON.stringify(DOCUMENT));
    const server = createServer((request, response) => {
      if (request.url === '/openapi.json') response.end(JSON.stringify(DOCUMENT));
      else response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const include: ContractTestOptions['include'] = ({ method }) => method === 'delete';
    for (const document of [file, `${url}/openapi.json`, new URL(`${url}/openapi.json`)]) {
      assert.equal((await testContract(document, `${url}/`, { include })).requests, 7);
    }
    server.closeAllConnections();
  });

  it('a service that cannot be reached is named', async () => {
    await assert.rejects(testContract(DOCUMENT, 'http://127.0.0.1:1'), {
      code: 'INVALID_ARGUMENT',
      message: /cannot reach http:\/\/127\.0\.0\.1:1: (ECONNREFUSED|bad port)/,
    });
  });

  it('what cannot be tested is listed', async () => {
    const impossible = {
      openapi: '3.1.0',
      info: { title: 'Impossible', version: '1' },
      paths: {
        '/a': {
          get: {
            'x-event-name': 'a',
            parameters: [
              {
                in: 'query',
                name: 'q',
                required: true,
                schema: { type: 'string', minLength: 3, maxLength: 2 },
              },
            ],
            responses: {},
          },
        },
      },
    };
    const report = await testContract(impossible, 'http://localhost', { fetch: worker.fetch });
    assert.deepEqual(report.operations[0]?.gaps, ['no value was found for the query parameter q']);
    assert.equal(report.requests, 0);
  });
});
