import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseStoreUrl, storeName } from '../../../src/store/url.ts';

describe('store URL', () => {
  const FILES: [string, string][] = [
    ['sqlite:store.db', 'store.db'],
    ['sqlite:./data/store.db', './data/store.db'],
    ['sqlite:/var/lib/store.db', '/var/lib/store.db'],
    ['sqlite:///var/lib/store.db', '/var/lib/store.db'],
    ['SQLite:C:\\data\\store.db', 'C:\\data\\store.db'],
    ['sqlite:a b%20?c#d.db', 'a b%20?c#d.db'],
  ];
  for (const [url, file] of FILES) {
    it(`store URL: ${url} is the file ${file}`, () => {
      assert.deepEqual(parseStoreUrl(url), { kind: 'sqlite', file });
    });
  }

  for (const scheme of ['postgres', 'postgresql']) {
    it(`store URL: ${scheme}:// is passed to the driver, and its name has no secrets`, () => {
      const url = `${scheme}://user:secret@db.example:5433/gateway?sslmode=require`;
      const address = parseStoreUrl(url);
      assert.deepEqual(address, { kind: 'postgres', url });
      assert.equal(storeName(address), 'postgres://db.example:5433/gateway');
    });
  }

  const INVALID: [string, RegExp][] = [
    ['', /^store: the URL has no scheme; use sqlite:FILE or postgres:/],
    ['store.db', /has no scheme/],
    ['/var/lib/store.db', /has no scheme/],
    ['mysql://user:secret@db/gateway', /unknown scheme "mysql:"/],
    ['sqlite:', /sqlite: has no file/],
    ['sqlite:///', /is not the path of a file/],
    ['sqlite://store.db', /names a host; .*sqlite:\/\/\/FILE/],
    ['sqlite::memory:', /":memory:" is not the path of a file/],
    ['sqlite:file:store.db?nolock=1', /is not the path of a file/],
    ['sqlite:a\0b', /"a\\0b" is not the path of a file/],
    ['postgres://user:secret@db:99999/gateway', /the PostgreSQL URL is not valid/],
    ['postgres://user:secret@db', /does not name a database/],
    ['postgres://user:secret@db/', /does not name a database/],
    ['postgres:gateway', /the PostgreSQL URL is not valid/],
  ];
  for (const [url, message] of INVALID) {
    it(`store URL: ${JSON.stringify(url)} is rejected without its password`, () => {
      assert.throws(
        () => parseStoreUrl(url),
        (error: Error) => {
          assert.equal(error.name, 'ZeroMQConfigError');
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });
  }
});
