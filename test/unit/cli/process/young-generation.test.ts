import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  memberOptions,
  type ProcessState,
  processState,
  semiSpaceOption,
  semiSpaceProblem,
} from '../../../../src/cli/process/young-generation.ts';

const MIB = 2 ** 20;

const state = (given: Partial<ProcessState> = {}): ProcessState => ({
  argv: ['node', 'main.js', 'up'],
  execArgv: [],
  env: {},
  memory: 4096 * MIB,
  ...given,
});

describe('young generation', () => {
  const sizes: [memory: number, option: string | undefined][] = [
    [128, undefined],
    [511, undefined],
    [512, '--max-semi-space-size=32'],
    [768, '--max-semi-space-size=32'],
    [1024, '--max-semi-space-size=64'],
    [2048, '--max-semi-space-size=128'],
    [65_536, '--max-semi-space-size=128'],
  ];
  for (const [memory, option] of sizes) {
    it(`young generation: ${memory} MiB of memory give ${option ?? 'the size of V8'}`, () => {
      assert.equal(semiSpaceOption(state({ memory: memory * MIB })), option);
    });
  }

  it('young generation: only commands that serve requests get a larger one', () => {
    const option = (...args: string[]): string | undefined =>
      semiSpaceOption(state({ argv: ['node', 'main.js', ...args] }));
    for (const command of ['up', 'gateway', 'router', 'worker', 'server', 'mock'])
      assert.equal(option(command), '--max-semi-space-size=128', command);
    for (const command of ['ps', 'call', 'dev', '--help']) assert.equal(option(command), undefined, command);
    assert.equal(option(), undefined);
  });

  it('young generation: the operator decides', () => {
    const env = (size: string): string | undefined =>
      semiSpaceOption(state({ env: { ZMQ_GATEWAY_SEMI_SPACE: size } }));
    assert.equal(env('24'), '--max-semi-space-size=24');
    assert.equal(env('off'), undefined);
    assert.equal(env(''), '--max-semi-space-size=128');
    assert.equal(semiSpaceOption(state({ execArgv: ['--max-semi-space-size=1'] })), undefined);
    assert.equal(semiSpaceOption(state({ execArgv: ['--max_semi_space_size=1'] })), undefined);
    assert.equal(semiSpaceOption(state({ env: { NODE_OPTIONS: '--max-semi-space-size=1' } })), undefined);
  });

  it('young generation: an invalid size is named', () => {
    const problem = (size: string): string | undefined =>
      semiSpaceProblem({ env: { ZMQ_GATEWAY_SEMI_SPACE: size } });
    assert.equal(
      problem('64M'),
      'ZMQ_GATEWAY_SEMI_SPACE: "64M" is invalid; allowed: MiB, a whole number from 1 to 9999, or off',
    );
    assert.equal(problem('64'), undefined);
    assert.equal(problem('off'), undefined);
    assert.equal(semiSpaceProblem({ env: {} }), undefined);
  });

  it('young generation: members of a cluster divide the memory', () => {
    assert.deepEqual(memberOptions(state(), 4), ['--max-semi-space-size=64']);
    const replaced = state({ execArgv: ['--max-semi-space-size=128', '--enable-source-maps'] });
    assert.deepEqual(memberOptions(replaced, 4), ['--max-semi-space-size=64', '--enable-source-maps']);
    assert.deepEqual(memberOptions(replaced, 64), ['--enable-source-maps']);
    const chosen = state({ execArgv: ['--max-semi-space-size=7'] });
    assert.deepEqual(memberOptions(chosen, 4), ['--max-semi-space-size=7']);
  });

  it('young generation: the memory of this process is at most that of the machine', () => {
    const { memory } = processState();
    assert.ok(memory > 64 * MIB && memory < 2 ** 50, `${memory} bytes`);
  });
});
