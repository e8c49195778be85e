import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTemplate, textsOf } from '../../../../src/gateway/paths/path-pattern.ts';

const anything = (): boolean => true;
const texts = (path: string, sent: string, accepts = anything as (index: number, text: string) => boolean) =>
  textsOf(parseTemplate(path), sent.slice(1).split('/'), accepts);

describe('path templates', () => {
  it('path templates: are split into names and literal text', () => {
    const { names, segments } = parseTemplate('/a/{x}/v{major}.{minor}:run/caf%C3%A9');
    assert.deepEqual(names, ['x', 'major', 'minor']);
    assert.deepEqual(
      segments.map(({ literals, first }) => [first, literals]),
      [
        [0, ['a']],
        [0, ['', '']],
        [1, ['v', '.', ':run']],
        [3, ['café']],
      ],
    );
  });

  it('path templates: that match the same paths have the same key', () => {
    const key = (path: string): string => parseTemplate(path).key;
    assert.equal(key('/a/{x}.{y}'), key('/a/{p}.{q}'));
    assert.equal(key('/größe/{x}'), key('/gr%C3%B6%c3%9fe/{y}'));
    assert.notEqual(key('/a:b'), key('/a%3Ab'));
    assert.notEqual(key('/{x}'), key('/{x}.json'));
  });

  const found: [template: string, path: string, texts: string[]][] = [
    ['/tasks/{id}', '/tasks/7', ['7']],
    ['/a/{x}/{y}.{z}', '/a/1%2C2/b.c.d', ['1%2C2', 'b.c', 'd']],
    ['/files/{name}.{ext}', '/files/report.v2.pdf', ['report.v2', 'pdf']],
    ['/{y}-{m}-{d}.pdf', '/a-b-c-d.pdf', ['a-b', 'c', 'd']],
    ['/{a}--{b}', '/x---y', ['x-', 'y']],
    ['/{a}aa{b}', '/aaaaa', ['aa', 'a']],
    ['/lists/{ids}:batch', '/lists/1,2:batch', ['1,2']],
    ['/lists/{ids}:batch', '/lists/1,2%3Abatch', ['1,2']],
    ['/lists/{ids}:batch', '/lists/1%3Abatch:batch', ['1%3Abatch']],
    ['/größen-{sizes}', '/gr%C3%B6%C3%9Fen-38,40', ['38,40']],
    ['/größen-{sizes}', '/gr%c3%b6%c3%9fen%2d38,40', ['38,40']],
    ['/{a}😀{b}', '/%F0%9F%98%81%F0%9F%98%80%E2%82%AC', ['%F0%9F%98%81', '%E2%82%AC']],
    ['/{a}A{b}', '/1%3A2A3', ['1%3A2', '3']],
    ['/{a}.json', '/a%2Fb%2Ejson', ['a%2Fb']],
    ['/a%2Fb-{x}', '/a%2fb-1', ['1']],
    ['/100%-{x}', '/100%25-1', ['1']],
  ];
  for (const [template, path, expected] of found) {
    it(`path templates: find the parameters of ${template} in ${path}`, () => {
      assert.deepEqual(texts(template, path), expected);
    });
  }

  it('path templates: let the values choose between several readings', () => {
    const known = new Set(['json', 'tar.gz']);
    const accepts = (index: number, text: string): boolean => index !== 1 || known.has(text);
    assert.deepEqual(texts('/{name}.{ext}', '/a.b.tar.gz', accepts), ['a.b', 'tar.gz']);
    assert.deepEqual(texts('/{name}.{ext}', '/a.b.json', accepts), ['a.b', 'json']);
    assert.deepEqual(texts('/{name}.{ext}', '/a.b.c', accepts), ['a.b', 'c']);
    const short = (index: number, text: string): boolean => text.length === index + 1;
    assert.deepEqual(texts('/{a}-{b}-{c}', '/x-yy-z-z', short), ['x', 'yy', 'z-z']);
  });
});
