/** Moving one node of a document behind a `$ref`, in the same or another file, changes no operation. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  at,
  isObject,
  type Json,
  type JsonObject,
  member,
  pointerOf,
  tokensOf,
} from '../../src/contract/json.ts';
import { SECTIONS } from '../../src/contract/shapes.ts';
import { ApiRegistry, type ApiSnapshot, putDocument } from '../../src/openapi/index.ts';
import { walk } from '../../src/openapi/model/walk.ts';
import fc, { runs } from '../helpers/property.ts';

const RUNS = runs(150);

const folder = fileURLToPath(new URL('../../node_modules/@readme/oas-examples/', import.meta.url));
const originals = [
  '3.0/json/petstore.json',
  '3.1/json/train-travel.json',
  '3.1/json/petstore.json',
  '3.0/json/callbacks.json',
  '3.1/json/webhooks.json',
].map((name) => JSON.parse(readFileSync(folder + name, 'utf8')) as JsonObject);

/** Pointers of all nodes that a reference may replace. */
function movableNodes(document: JsonObject): string[] {
  const found: string[] = [];
  walk('document', document, '', (kind, object, pointer) => {
    if (SECTIONS[kind] !== undefined && member(object, '$ref') === undefined) found.push(pointer);
    return true;
  });
  return found;
}

/** Replaces the node at a pointer with a reference. Returns the document and the node. */
function moveNode(document: JsonObject, pointer: string, ref: string): { document: JsonObject; node: Json } {
  const copy = structuredClone(document);
  const tokens = tokensOf(pointer) ?? [];
  const holder = at(copy, pointerOf(...tokens.slice(0, -1))) as Record<string, Json>;
  const last = tokens.at(-1) ?? '';
  const node = holder[last] ?? null;
  holder[last] = { $ref: ref };
  return { document: copy, node };
}

/** The operations as the gateway serves them, with every reference resolved. */
function resolveOperations({ document, operations }: ApiSnapshot): unknown {
  const root = document as unknown as Json;
  const follow = (value: unknown, ancestors: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((item) => follow(item, ancestors));
    if (!isObject(value)) return value;
    const ref = member(value, '$ref');
    if (typeof ref === 'string') {
      // Recursive schemas are cut: two levels are enough to distinguish them.
      if (ancestors.filter((one) => one === ref).length > 1 || ancestors.length > 12) return '…';
      const target = at(root, ref.slice(1));
      assert.notEqual(target, undefined, ref);
      const beside = Object.fromEntries(Object.entries(value).filter(([name]) => name !== '$ref'));
      return { ...(follow(target, [...ancestors, ref]) as object), ...beside };
    }
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, follow(item, ancestors)]));
  };
  return operations.map((operation) => {
    const { parameters, bodies, replies, ...rest } = operation;
    const plain = (list: readonly { schema: unknown }[]): unknown =>
      list.map(({ schema, ...more }) => ({ ...more, pointer: '', schema: follow(schema, []) }));
    return { ...rest, parameters: plain(parameters), bodies: plain(bodies), replies: plain(replies) };
  });
}

test('documents: moving one node behind a $ref changes no operation', (context) => {
  const path = mkdtempSync(join(tmpdir(), 'moved-'));
  context.after(() => rmSync(path, { recursive: true }));
  const load = (document: JsonObject): unknown => {
    const file = join(path, 'api.json');
    writeFileSync(file, JSON.stringify(document));
    return resolveOperations(putDocument(new ApiRegistry(), file, { name: 'doc' }).snapshot);
  };
  const expected = originals.map((original) => ({
    original,
    served: load(original),
    nodes: movableNodes(original),
  }));
  fc.assert(
    fc.property(
      fc.constantFrom(...expected),
      fc.nat(),
      fc.constantFrom('#/x-moved/node', '#/components/x-moved/node', 'other.json', 'other.json#/deep/node'),
      ({ original, served, nodes }, index, ref) => {
        const pointer = nodes[index % nodes.length] ?? '';
        const { document, node } = moveNode(original, pointer, ref);
        // References in the node refer to the original document.
        const outside = JSON.stringify(node).replaceAll('"$ref":"#', '"$ref":"api.json#');
        if (ref.startsWith('#/components'))
          document['components'] = { ...(document['components'] as object), 'x-moved': { node } };
        else if (ref.startsWith('#')) document['x-moved'] = { node };
        else
          writeFileSync(
            join(path, 'other.json'),
            ref.includes('#') ? `{"deep":{"node":${outside}}}` : outside,
          );
        assert.deepEqual(load(document), served, `${pointer} behind ${ref}`);
      },
    ),
    { numRuns: RUNS },
  );
});
