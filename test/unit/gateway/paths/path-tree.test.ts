import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTemplate } from '../../../../src/gateway/paths/path-pattern.ts';
import { PathTree } from '../../../../src/gateway/paths/path-tree.ts';

function treeOf(paths: readonly string[]): PathTree<string> {
  const tree = new PathTree<string>();
  for (const path of paths) tree.add(parseTemplate(path), path);
  return tree;
}

const find = (tree: PathTree<string>, path: string): readonly string[] =>
  tree.find(path.slice(1).split('/'), path.includes('%'));

/** Yields all permutations of a list. */
function* ordersOf<T>(items: readonly T[]): Iterable<T[]> {
  if (items.length === 0) yield [];
  for (const [index, item] of items.entries()) {
    for (const rest of ordersOf(items.filter((_, other) => other !== index))) yield [item, ...rest];
  }
}

describe('the path tree', () => {
  const paths = ['/r/{id}', '/r/{id}.jsonld', '/r/{id}.schema.jsonld', '/r/{id}.rdf', '/r/all.rdf'];
  const found: [path: string, template: string][] = [
    ['/r/7.schema.jsonld', '/r/{id}.schema.jsonld'],
    ['/r/7.jsonld', '/r/{id}.jsonld'],
    ['/r/7.rdf', '/r/{id}.rdf'],
    ['/r/all.rdf', '/r/all.rdf'],
    ['/r/%61ll%2Erdf', '/r/all.rdf'],
    ['/r/7.xml', '/r/{id}'],
    ['/r/.rdf', '/r/{id}'],
  ];
  it('PathTree: prefers the most literal text, in any order of the paths', () => {
    for (const order of ordersOf(paths)) {
      const tree = treeOf(order);
      for (const [path, template] of found) assert.deepEqual(find(tree, path), [template], path);
    }
  });

  it('PathTree: does not depend on unrelated paths', () => {
    for (const others of [[], ['/r/{id}.rdf'], ['/r/{id}'], ['/r/{a}.{b}'], ['/{any}/{id}.schema.jsonld']]) {
      const tree = treeOf(['/r/{id}.jsonld', ...others, '/r/{id}.schema.jsonld']);
      assert.deepEqual(find(tree, '/r/7.schema.jsonld'), ['/r/{id}.schema.jsonld']);
    }
  });

  it('PathTree: backtracks from a branch without a match', () => {
    const tree = treeOf(['/a/b/c', '/a/{x}/d', '/{y}/b/e', '/{y}/{z}.x/f', '/{y}/{z}/g']);
    assert.deepEqual(find(tree, '/a/b/c'), ['/a/b/c']);
    assert.deepEqual(find(tree, '/a/b/d'), ['/a/{x}/d']);
    assert.deepEqual(find(tree, '/a/b/e'), ['/{y}/b/e']);
    assert.deepEqual(find(tree, '/a/b.x/f'), ['/{y}/{z}.x/f']);
    assert.deepEqual(find(tree, '/a/b.x/g'), ['/{y}/{z}/g']);
    assert.deepEqual(find(tree, '/a/b'), []);
    assert.deepEqual(find(tree, '/a//g'), []);
  });

  it('PathTree: returns all templates with the same literal text', () => {
    const tree = treeOf(['/x/{a}.{b}', '/x/{c}-{d}', '/x/{e}']);
    assert.deepEqual([...find(tree, '/x/1.5-2')].sort(), ['/x/{a}.{b}', '/x/{c}-{d}']);
    assert.deepEqual(find(tree, '/x/1.5'), ['/x/{a}.{b}']);
    assert.deepEqual(find(tree, '/x/1'), ['/x/{e}']);
  });

  it('PathTree: prefers to read an escaped reserved character as data', () => {
    const both = treeOf(['/jobs/{id}', '/jobs/{id}:cancel', '/v1/things:batch']);
    assert.deepEqual(find(both, '/jobs/5:cancel'), ['/jobs/{id}:cancel']);
    assert.deepEqual(find(both, '/jobs/5%3Acancel'), ['/jobs/{id}']);
    assert.deepEqual(find(both, '/v1/things%3Abatch'), []);
    assert.deepEqual(find(treeOf(['/jobs/{id}:cancel']), '/jobs/5%3acancel'), ['/jobs/{id}:cancel']);
  });

  it('PathTree: assigns paths below a page to the page, after all templates', () => {
    const tree = treeOf(['/docs/{id}']);
    tree.addBelow(parseTemplate('/docs'), 'page');
    assert.deepEqual(find(tree, '/docs/7'), ['/docs/{id}']);
    assert.deepEqual(find(tree, '/docs/7/x'), ['page']);
    assert.deepEqual(find(tree, '/docs'), []);
  });
});
