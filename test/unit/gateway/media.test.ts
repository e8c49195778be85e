import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  accepts,
  bestMatch,
  chooseCoding,
  inRange,
  parseMediaType,
} from '../../../src/gateway/common/media-type.ts';

describe('media types', () => {
  it('are read with their charset', () => {
    assert.deepEqual(parseMediaType('Application/JSON'), {
      type: 'application/json',
      charset: undefined,
      parameters: new Map(),
    });
    assert.deepEqual(parseMediaType('a/b; x="y;\\"z"; Charset="UTF-8"'), {
      type: 'a/b',
      charset: 'utf-8',
      parameters: new Map([['x', 'y;"z']]),
    });
    for (const wrong of ['', 'json', 'a/', '/b', 'a/b c', 'a b/c'])
      assert.equal(parseMediaType(wrong), undefined, wrong);
  });

  it('match what a document names, charsets aside', () => {
    const match = (type: string, ...items: string[]): string | undefined => bestMatch(type, items, String);
    assert.equal(match('a/b', 'a/b; charset=utf-8'), 'a/b; charset=utf-8');
    assert.equal(match('a/b;charset=utf-8', 'a/b'), 'a/b');
    assert.equal(match('a/b;version=2', 'a/b', 'a/b;version=1', 'a/b; Version="2"'), 'a/b; Version="2"');
    assert.equal(match('a/b', 'a/*', 'a/b;version=2', 'a/b'), 'a/b');
    assert.equal(match('a/b', 'a/*', 'a/b;version=2'), 'a/b;version=2');
    assert.equal(match('a/b;version=3', 'a/*', 'a/b;version=2'), 'a/*');
    assert.equal(match('a/b;version=3', 'a/b;version=2'), undefined);
    assert.equal(match('nothing', '*/*'), undefined);
  });

  it('fall into ranges', () => {
    assert.ok(inRange('a/b', '*/*') && inRange('a/b', 'a/*') && inRange('a/b', 'a/b'));
    assert.ok(!inRange('a/b', 'b/*') && !inRange('ab/c', 'a/*'));
  });

  it('are accepted by the most specific range', () => {
    const types = ['application/json'];
    assert.ok(accepts('*/*;q=0.1', types));
    assert.ok(!accepts('application/json;q=0, application/*', types));
    assert.ok(!accepts('application/*;q=0, */*', types));
    assert.ok(accepts('application/*;q=0, application/json', types));
    assert.ok(accepts('text/html', [...types, 'text/html']));
    assert.ok(!accepts('text/html', types));
    assert.ok(accepts('', types));
    assert.ok(accepts('text/x;title="a, b;q=0", application/json;q=0.5', types));
    assert.ok(!accepts('text/x;title="application/json, application/json"', types));
  });
});

describe('codings', () => {
  const choose = (header: string): string | undefined => chooseCoding(header, ['br', 'gzip']);

  it('media type: a comma or semicolon within quotes separates nothing', () => {
    const types = ['application/json'];
    assert.equal(accepts('text/plain;title="a, application/json;q=1"', types), false);
    assert.equal(accepts('text/plain;title="a,\\"b, application/json", application/json;q=0', types), false);
    assert.equal(accepts('application/json;profile="a,b;q=0";q=0.5', types), true);
    assert.deepEqual(parseMediaType('a/b; x="1;2, 3"'), {
      type: 'a/b',
      charset: undefined,
      parameters: new Map([['x', '1;2, 3']]),
    });
  });

  it('are chosen by weight, then by our own liking', () => {
    assert.equal(choose('gzip, br'), 'br');
    assert.equal(choose('gzip;q=1, br;q=0.9'), 'gzip');
    assert.equal(choose('*'), 'br');
    assert.equal(choose('*, br;q=0'), 'gzip');
    assert.equal(choose('identity'), undefined);
    assert.equal(choose('gzip;q=0'), undefined);
    assert.equal(choose(''), undefined);
  });
});
