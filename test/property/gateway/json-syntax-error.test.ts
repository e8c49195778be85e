/**
 * Tests the position of a syntax error: the text before it can be continued to valid JSON, and the
 * text up to and including it cannot.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeSyntaxError } from '../../../src/gateway/binding/json-syntax-error.ts';
import fc, { runs } from '../../helpers/property.ts';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function placeOf(text: string): number {
  return Number(/at position (\d+)/.exec(describeSyntaxError(text))?.[1]);
}

const signs = fc.string({ unit: fc.constantFrom(...'{}[],:"\\0123-.eEtrufalsn u\n') });

describe('the position of a JSON syntax error', () => {
  it('JSON syntax error: is never found in valid JSON', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat({ max: 3 }), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), undefined, indent);
        assert.equal(placeOf(text), text.length);
        const cut = text.slice(0, Math.floor(text.length / 2));
        assert.ok(placeOf(cut) <= cut.length);
      }),
    );
  });

  it('JSON syntax error: is found in every text that is not valid JSON', () => {
    fc.assert(
      fc.property(fc.oneof(signs, fc.string()), (text) => {
        const place = placeOf(text);
        assert.ok(place >= 0 && place <= text.length);
        if (place < text.length) assert.ok(!parses(text));
      }),
      { numRuns: runs(2000) },
    );
  });

  it('JSON syntax error: is at the position of an inserted wrong character', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, seed) => {
        const text = JSON.stringify(value);
        const at = seed % (text.length + 1);
        const wrong = `${text.slice(0, at)}\u0000${text.slice(at)}`;
        assert.equal(parses(wrong), false);
        assert.ok(placeOf(wrong) <= at);
      }),
    );
  });
});
