/** Whether a worker's hello to one router reports a refusal, depending on the answers of all routers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HelloAnswer } from '../../../src/worker/hello-answer.ts';

type History = readonly ('accepted' | 'refused' | 'disconnected')[];

function answerOf(...history: History): HelloAnswer {
  const made = new HelloAnswer();
  for (const event of history) {
    if (event === 'disconnected') made.disconnected();
    else made.record(event);
  }
  return made;
}

const CASES: readonly [what: string, own: History, others: readonly History[], refused: boolean][] = [
  ['a worker that no router answered', [], [[]], false],
  ['a worker that its only router refused', ['refused'], [], true],
  ['a worker that its only router refused before it restarted', ['refused', 'disconnected'], [], true],
  ['a worker that its only router finally accepted', ['refused', 'accepted', 'disconnected'], [], false],
  ['a worker that another router refused', [], [['refused']], true],
  [
    'a worker that the other router refused, though this one had accepted it',
    ['accepted', 'disconnected'],
    [['refused']],
    true,
  ],
  [
    'a worker that the other router accepted, though this one had refused it',
    ['refused', 'disconnected'],
    [['accepted']],
    false,
  ],
  ['a worker about which two other routers disagree', [], [['refused'], ['accepted']], false],
  [
    'a worker whose routers all restarted',
    ['accepted', 'disconnected'],
    [['refused', 'disconnected']],
    false,
  ],
];

describe('HelloAnswer', () => {
  for (const [what, own, others, refused] of CASES) {
    it(`HelloAnswer: ${refused ? 'reports' : 'does not report'} a refusal: ${what}`, () => {
      assert.equal(answerOf(...own).reportsRefusal(others.map((history) => answerOf(...history))), refused);
    });
  }
});
