import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { translate } from '../../../src/gateway/template.ts';

describe('path templates', () => {
  const cases: [path: string, names: string[], pattern: string, matches: string][] = [
    ['/', [], '/', '/'],
    ['/tasks/{id}', ['id'], '/tasks/:p0', '/tasks/7'],
    ['/a/{x-y}/b/{z.z}', ['x-y', 'z.z'], '/a/:p0/b/:p1', '/a/1/b/2'],
    ['/f/{a}.{b}', ['a', 'b'], '/f/:p0(.+?).:p1(.+)', '/f/x.y'],
    ['/v{major}', ['major'], '/v:p0(.+)', '/v1'],
    ['/jobs/{id}:run', ['id'], '/jobs/:p0(.+)::run', '/jobs/5:run'],
    ['/a:b/c*d', [], '/a::b/c:star(\\*)d', '/a:b/c*d'],
    ['/with%20space/%zz', [], '/with space/%zz', '/with%20space/%zz'],
  ];
  for (const [path, names, pattern, matching] of cases) {
    it(`translate ${path}`, () => {
      const template = translate(path);
      assert.deepEqual(template.names, names);
      assert.equal(template.pattern, pattern);
      assert.match(matching, template.expression);
    });
  }

  it('give what was sent for each name', () => {
    assert.deepEqual(translate('/a/{x}/{y}.{z}').expression.exec('/a/1%2C2/b.c.d')?.slice(1), [
      '1%2C2',
      'b',
      'c.d',
    ]);
    assert.equal(translate('/a/{x}').expression.exec('/a/1/2'), null);
  });

  it('of one form have one pattern', () => {
    assert.equal(translate('/a/{x}').pattern, translate('/a/{y}').pattern);
  });
});
