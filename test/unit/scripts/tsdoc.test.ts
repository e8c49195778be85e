// test:all: 15 s, tests a check of the sources
/** The check of `npm run tsdoc`: it finds what the TSDoc of a public entry lacks. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import ts from 'typescript';
import { checkTsdoc } from '../../../scripts/lib/tsdoc.ts';
import { tempFolder } from '../../helpers/temp.ts';

const OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  allowImportingTsExtensions: true,
  types: [],
};

/** What is missing in an entry that exports everything of `text`. */
function missing(t: TestContext, text: string): string[] {
  const folder = tempFolder(t);
  // A comment belongs to what stands on the next line.
  writeFileSync(path.join(folder, 'part.ts'), text.replaceAll('/** ', '\n/** '));
  const entry = path.join(folder, 'index.ts');
  writeFileSync(entry, "export * from './part.ts';\n");
  return checkTsdoc([entry], OPTIONS)
    .map((finding) => `${finding.place} ${finding.missing}`)
    .sort();
}

test('tsdoc: an entry with complete TSDoc passes', (t) => {
  const text = `
    /** Options of {@link Node}. */
    export interface NodeOptions {
      /** Name of the node. */
      name: string;
      /** Time to wait for a reply, in milliseconds. @defaultValue 5000 */
      timeout?: number;
    }
    /** A report: what is optional here is not an option. */
    export interface Report {
      /** Last error. */
      error?: string;
    }
    /** A node. */
    export class Node {
      readonly #secret = 1;
      private hidden = 2;
      /** @throws {RangeError} when the name is empty */
      constructor(options: NodeOptions) {
        if (options.name === '') throw new RangeError('empty');
      }
      /** Sends; rejects nothing. */
      send(): number {
        try {
          throw new Error('caught');
        } catch {
          return this.#secret + this.hidden;
        }
      }
      /** @internal */
      _drop(): void {}
    }
    function check(): void { throw new Error('x'); }
    /**
     * Starts.
     * @throws {Error} when it cannot start
     */
    export function start(): void { check(); }
  `;
  assert.deepEqual(missing(t, text), []);
});

test('tsdoc: an export, a member or an option without its sentence is found', (t) => {
  assert.deepEqual(missing(t, 'export class Node { send(): void {}/** Ends. */ end(): void {} }'), [
    'Node sentence',
    'Node.send sentence',
  ]);
  assert.deepEqual(missing(t, '/** A. */ export interface A { b: string }'), ['A.b sentence']);
  assert.deepEqual(missing(t, '/** A. */ export type A = { b: string };'), ['A.b sentence']);
  assert.deepEqual(missing(t, 'export const LIMIT = 1; export type Name = string; export function f() {}'), [
    'LIMIT sentence',
    'Name sentence',
    'f sentence',
  ]);
});

test('tsdoc: a member inherited from a base that is not exported is found', (t) => {
  assert.deepEqual(
    missing(t, 'interface Base { b?: string } /** Options. */ export interface AOptions extends Base {}'),
    ['AOptions.b @defaultValue', 'AOptions.b sentence'],
  );
});

test('tsdoc: an option without @defaultValue is found', (t) => {
  assert.deepEqual(
    missing(t, '/** O. */ export interface AOptions { /** B. */ b?: string; /** C. */ c: 1 }'),
    ['AOptions.b @defaultValue'],
  );
});

test('tsdoc: a function or method that throws without @throws is found', (t) => {
  const thrower = "{ throw new Error('x'); }";
  assert.deepEqual(missing(t, `/** F. */ export function f() ${thrower}`), ['f @throws']);
  assert.deepEqual(missing(t, "/** F. */ export const f = () => Promise.reject(new Error('x'));"), [
    'f @throws',
  ]);
  assert.deepEqual(
    missing(t, `/** A. */ export class A { constructor() ${thrower}/** B. */ b() ${thrower} }`),
    ['A.b @throws', 'new A @throws'],
  );
  assert.deepEqual(missing(t, `function g() ${thrower} /** F. */ export function f() { return g(); }`), [
    'f @throws',
  ]);
  assert.deepEqual(missing(t, `/** A. */ export class A { #b() ${thrower}/** C. */ c() { this.#b(); } }`), [
    'A.c @throws',
  ]);
});

test('tsdoc: a function that calls one with @throws needs @throws, unless a declaration file declares it', (t) => {
  assert.deepEqual(missing(t, "/** F. */ export function f(): unknown { return JSON.parse('1'); }"), []);
  const declared = '/** @throws {Error} always */ declare function g(): void;';
  assert.deepEqual(missing(t, `${declared} /** F. */ export function f() { g(); }`), ['f @throws']);
});
