/** The progress indicator: it appears after a second, on terminals only, and is removed at the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withProgress } from '../../../../src/cli/terminal/progress.ts';
import { withResolvers } from '../../../../src/core/collections/deferred.ts';

function context() {
  const written: string[] = [];
  const terminal = { write: (text: string) => void written.push(text) };
  const nothing = () => undefined;
  return { written, of: { cwd: '/', env: {}, out: nothing, err: nothing, terminal } };
}

test('progress indicator: does not appear within the first second', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { written, of } = context();
  const { promise, resolve } = withResolvers<number>();
  const done = withProgress(of, 'starting', promise);
  t.mock.timers.tick(999);
  resolve(7);
  assert.equal(await done, 7);
  t.mock.timers.tick(5000);
  assert.deepEqual(written, []);
});

test('progress indicator: shows the activity, moves, and is removed at the end', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { written, of } = context();
  const { promise, reject } = withResolvers<never>();
  const done = withProgress(of, 'waiting for echo.get', promise, 5000);
  t.mock.timers.tick(1000);
  t.mock.timers.tick(120);
  assert.equal(written.length, 2);
  assert.match(written[0] ?? '', /^\r\u001b\[K⠋ waiting for echo\.get \(\d+ of 5 s\)\r$/);
  assert.match(written[1] ?? '', /⠙/);
  reject(new Error('lost'));
  await assert.rejects(done, /lost/);
  t.mock.timers.tick(5000);
  assert.deepEqual(written.slice(2), ['\r\u001b[K']);
});

test('progress indicator: does not appear without a terminal', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { of } = context();
  const { promise, resolve } = withResolvers<string>();
  const done = withProgress({ ...of, terminal: undefined }, 'starting', promise);
  t.mock.timers.tick(5000);
  resolve('done');
  assert.equal(await done, 'done');
});
