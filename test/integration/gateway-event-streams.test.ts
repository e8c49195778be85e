/** Server-sent events over HTTP: comments, errors, continuing on another worker, and drains. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { ownServer } from '../helpers/gateway/hosts.ts';
import { exchangeRaw } from '../helpers/gateway/raw-http.ts';
import { StreamRequester } from '../helpers/gateway/stream-requester.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { streamApi as api } from './stream-api.ts';

const event = (n: number): string => `id: ${n}\ndata: {"n":${n}}\n\n`;

describe('server-sent events', () => {
  it('writes a comment after a silence, but not within a line', async (t) => {
    const requester = new StreamRequester();
    const { url } = await ownServer(t, { requester, api, keepAliveComment: 40 });
    const response = fetch(`${url}/events`);
    const stream = await requester.next();
    stream.send('data: 1\n');
    const reader = (await response).body?.getReader();
    let text = '';
    const until = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) text += Buffer.from((await reader?.read())?.value ?? []).toString();
    };
    await until(/: keep-alive\n: keep-alive\n/);
    stream.send('data: unfinished');
    await until(/unfinished/);
    await new Promise((resolve) => setTimeout(resolve, 120));
    stream.send('\n\n');
    await until(/unfinished\n\n/);
    stream.end();
  });

  it('a failure after the first event ends the stream with an error event', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send(event(1));
      setImmediate(() => stream.fail('WORKER_LOST'));
    });
    const { url } = await ownServer(t, { requester, api });
    const response = await fetch(`${url}/events`);
    const [first, last = ''] = (await response.text()).split('event: error\ndata: ');
    assert.equal(first, event(1));
    assert.ok(last.endsWith('\n\n'));
    const problem = JSON.parse(last) as { code: string; status: number; requestId: string };
    assert.deepEqual([problem.code, problem.status], ['WORKER_LOST', 502]);
    assert.equal(problem.requestId, response.headers.get('request-id'));
  });

  it('a failure within an event cuts the connection off, so that no client sees half of it', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send(`${event(1)}data: half`);
      setImmediate(() => stream.fail('WORKER_LOST'));
    });
    const { port } = await ownServer(t, { requester, api });
    const text = await exchangeRaw(port, 'GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.ok(text.endsWith('data: half\r\n'), text);
  });

  it('passes Last-Event-ID on, decoded as UTF-8', async (t) => {
    const requester = new StreamRequester((stream) => stream.end(''));
    const { url, port } = await ownServer(t, { requester, api });
    await fetch(`${url}/events`, { headers: { 'last-event-id': Buffer.from('ä€').toString('latin1') } });
    const bad = Buffer.from([0xff]).toString('latin1');
    await exchangeRaw(
      port,
      Buffer.from(
        `GET /events HTTP/1.1\r\nHost: a\r\nLast-Event-ID: ${bad}\r\nConnection: close\r\n\r\n`,
        'latin1',
      ),
    );
    const ids = requester.streams.map(({ request }) => request.extras?.lastEventId);
    assert.deepEqual(ids, ['ä€', 'ÿ']);
  });

  it('drain: ends streams between two events, with a time to connect again', async (t) => {
    const requester = new StreamRequester();
    const { url, gateway } = await ownServer(t, { requester, api, retryAfter: 2000 });
    const between = fetch(`${url}/events`);
    const first = await requester.next();
    first.send(event(1));
    const within = fetch(`${url}/events`);
    const second = await requester.next();
    second.send('data: half');
    const texts = Promise.all([(await between).text(), (await within).text()]);
    const closed = gateway.close({ deadline: PATIENCE });
    await first.until(({ cancelled }) => cancelled);
    second.send('\n\ndata: no more\n\n');
    const retry = /^retry: ([2-9]\d{3}|10000)\n\n$/;
    const [one, two] = await texts;
    assert.match(one.slice(event(1).length), retry);
    assert.match(two.slice('data: half\n\ndata: no more\n\n'.length), retry);
    await closed;
  });

  it('drain: bytes go on until the deadline, then the connection closes', async (t) => {
    const requester = new StreamRequester();
    const { port, gateway } = await ownServer(t, { requester, api });
    const text = exchangeRaw(port, 'GET /file HTTP/1.1\r\nHost: a\r\n\r\n');
    const stream = await requester.next();
    stream.send('abc', { contentType: 'application/octet-stream' });
    const closed = gateway.close({ deadline: 100 });
    stream.send('def');
    assert.match(await text, /\r\nabc\r\n3\r\ndef\r\n$/);
    await closed;
  });
});

describe('resumable server-sent events', () => {
  it('20 lost workers: the client receives each event once', async (t) => {
    let next = 1;
    const requester = new StreamRequester((stream) => {
      const last = Number(stream.request.extras?.lastEventId ?? '0');
      assert.equal(last, next - 1);
      stream.send('');
      if (next > 60) {
        stream.end();
        return;
      }
      // The second half of the last event is lost with the worker.
      stream.send(`${event(next)}${event(next + 1)}${event(next + 2)}${event(next + 3).slice(0, 9)}`);
      next += 3;
      setImmediate(() => stream.fail('WORKER_LOST'));
    });
    const { url, gateway } = await ownServer(t, { requester, api });
    const text = await (await fetch(`${url}/resumable`)).text();
    assert.equal(text, Array.from({ length: 60 }, (_, index) => event(index + 1)).join(''));
    assert.equal(gateway.streams.resumed, 20);
  });

  it('retries while no worker serves the event', async (t) => {
    let attempts = 0;
    const requester = new StreamRequester((stream) => {
      attempts += 1;
      if (attempts === 1) stream.send(event(1));
      if (attempts < 4) setImmediate(() => stream.fail(attempts === 1 ? 'WORKER_LOST' : 'NO_WORKER'));
      else {
        stream.send(event(2));
        stream.end();
      }
    });
    const { url } = await ownServer(t, { requester, api });
    assert.equal(await (await fetch(`${url}/resumable`)).text(), event(1) + event(2));
  });

  it('an event without an id ends the stream with an error event', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send(`${event(1)}data: no id\n\n`);
      setImmediate(() => stream.fail('WORKER_LOST'));
    });
    const { url } = await ownServer(t, { requester, api });
    assert.match(await (await fetch(`${url}/resumable`)).text(), /event: error\ndata: .*WORKER_LOST/);
    assert.equal(requester.streams.length, 1);
  });

  it('a failure of the handler is not retried', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send(event(1));
      setImmediate(() => stream.fail('HANDLER_ERROR', 'secret'));
    });
    const { url } = await ownServer(t, { requester, api });
    const text = await (await fetch(`${url}/resumable`)).text();
    assert.match(text, /event: error\ndata: .*HANDLER_ERROR/);
    assert.doesNotMatch(text, /secret/);
  });

  it('a client that disconnects while no worker holds the stream ends the attempts', async (t) => {
    const requester = new StreamRequester();
    const { url, gateway } = await ownServer(t, { requester, api });
    const abort = new AbortController();
    const response = fetch(`${url}/resumable`, { signal: abort.signal });
    const stream = await requester.next();
    stream.send(event(1));
    await response;
    stream.fail('WORKER_LOST');
    abort.abort();
    while (gateway.streams.inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(gateway.streams.ended.get('CANCELLED'), 1);
    // On a slow machine, an attempt may begin before the gateway learns that the client has left.
    const attempts = requester.streams.length;
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(requester.streams.length, attempts);
  });
});

describe('checks of the items of streams', () => {
  const serve = (requester: StreamRequester, check: 'report' | 'reject') => {
    const errors: string[] = [];
    const write = (line: string): void => {
      const { errors: issues = [] } = JSON.parse(line) as { errors?: { pointer: string; detail: string }[] };
      for (const { pointer, detail } of issues) errors.push(`${pointer} ${detail}`);
    };
    const logger = pino({ level: 'error' }, { write });
    return { errors, options: { requester, api, logger, replies: { check } } };
  };

  it('lines: reports items that violate the document, and sends them', async (t) => {
    const lines = '{"n":1}\n{"n":"ä"}\nnot json\n{"n":4}';
    const requester = new StreamRequester(async (stream) => {
      for (const byte of Buffer.from(lines))
        await stream.write(Buffer.from([byte]), { contentType: 'application/x-ndjson' });
      stream.end();
    });
    const { errors, options } = serve(requester, 'report');
    const { url } = await ownServer(t, options);
    assert.equal(await (await fetch(`${url}/lines`)).text(), lines);
    assert.deepEqual(errors, ['/items/1/n must be an integer, not a string', '/items/2 is not JSON']);
  });

  it('events: rejects an item that violates the document with an error event', async (t) => {
    const requester = new StreamRequester((stream) => {
      stream.send(event(1));
      stream.send('data: {"n":"x"}\n\n');
    });
    const { errors, options } = serve(requester, 'reject');
    const { url } = await ownServer(t, options);
    const text = await (await fetch(`${url}/events`)).text();
    assert.ok(text.startsWith(`${event(1)}event: error\ndata: `));
    assert.match(text, /BAD_REPLY/);
    assert.deepEqual(errors, ['/items/1/n must be an integer, not a string']);
  });
});
