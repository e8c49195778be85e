import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  numberLoss,
  numberLossIn,
  parseExact,
  stringifyExact,
} from '../../../../src/core/json/exact-json.ts';
import fc, { runs } from '../../../helpers/property.ts';
import { jsonNumber, jsonText } from '../../json-texts.ts';

it('exact JSON: any number in a JSON text survives reading and writing', () => {
  fc.assert(
    fc.property(jsonText, (text) => {
      assert.equal(stringifyExact(parseExact(text, 'spelling')), text);
    }),
  );
});

it('exact JSON: the scan finds exactly the numbers that a double changes', () => {
  fc.assert(
    fc.property(jsonNumber, (number) => {
      assert.equal(numberLossIn(Buffer.from(`{"1.0":[${number}]}`)), numberLoss(number));
      assert.equal(numberLoss(number) === 'none', JSON.stringify(JSON.parse(number)) === number);
    }),
    { numRuns: runs(1000) },
  );
});

it('exact JSON: reads like JSON.parse when doubles keep the values', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      if (numberLossIn(Buffer.from(text)) !== 'value') assert.deepEqual(parseExact(text), JSON.parse(text));
    }),
  );
});
