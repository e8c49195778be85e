/** Binding of classic workers to events by the configuration. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClassicEvents, type ClassicEventsOption } from '../../../../src/router/backend/classic-events.ts';

const NODE = '0123456789abcdef0123456789abcdef';
const SESSION = '_0123456789abcdef';

describe('events of classic workers', () => {
  it('classicEvents: selects events by the node id, in any session', () => {
    const events = new ClassicEvents({ [NODE]: ['a'], 'my-laptop': ['b'], büro: ['c'] });
    assert.deepEqual(events.of(NODE + SESSION), ['a']);
    assert.deepEqual(events.of(`my-laptop${SESSION}`), ['b']);
    assert.deepEqual(events.of('my-laptop'), ['b'], 'a routing id without a session');
    assert.deepEqual(events.of(Buffer.from(`büro${SESSION}`).toString('latin1')), ['c']);
    assert.equal(events.of(`other${SESSION}`), undefined);
  });

  it('classicEvents: * applies to every other worker, and a list applies to all workers', () => {
    const events = new ClassicEvents({ [NODE]: ['a'], '*': ['b'] });
    assert.deepEqual([events.of(NODE + SESSION), events.of(`other${SESSION}`)], [['a'], ['b']]);
    assert.deepEqual(new ClassicEvents(['a']).of(NODE + SESSION), ['a']);
    assert.equal(new ClassicEvents().of(NODE + SESSION), undefined);
  });

  it('classicEvents: rejects values that are not event names', () => {
    const wrong: unknown[] = [['$router.info'], [''], { [NODE]: 'a' }, { [NODE]: [1] }];
    for (const option of wrong) {
      assert.throws(() => new ClassicEvents(option as ClassicEventsOption), {
        code: 'INVALID_ARGUMENT',
        message: /^classicEvents\["(\*|0123456789abcdef0123456789abcdef)"\] must be a list of event names/,
      });
    }
  });
});
