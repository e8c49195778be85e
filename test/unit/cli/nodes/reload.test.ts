/** Changed settings are applied as a whole, or not at all. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Reloads } from '../../../../src/cli/nodes/reload.ts';
import { type Logger, silentLogger } from '../../../../src/core/logging/logging.ts';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';
import { diagnostics, type FileReloaded } from '../../../../src/core/observability/diagnostics.ts';

interface Values {
  readonly limit: number;
  readonly level: string;
  readonly port: number;
}

function make(t: TestContext) {
  const read: { next: Values | Error } = { next: { limit: 1, level: 'info', port: 80 } };
  const source = {
    current: read.next as unknown as Record<string, unknown>,
    file: undefined,
    read: () => {
      if (read.next instanceof Error) throw read.next;
      return read.next as unknown as Record<string, unknown>;
    },
  };
  const reloads = new Reloads(source);
  const lines: string[] = [];
  const log = (fields: object, message?: string): void => {
    const { settings = '', reasons = '' } = fields as { settings?: string; reasons?: string };
    lines.push(`${message}: ${settings}${reasons}`);
  };
  const logger: Logger = { ...silentLogger, info: log as Logger['info'], error: log as Logger['error'] };
  reloads.start(logger);
  const published: boolean[] = [];
  const onReload = ({ what, ok }: FileReloaded): void => void (what === 'settings' && published.push(ok));
  diagnostics.fileReloaded.subscribe(onReload);
  t.after(() => diagnostics.fileReloaded.unsubscribe(onReload));
  const applied: string[] = [];
  reloads.add<Values>({
    names: ['limit'],
    prepare: ({ limit }) => {
      if (limit < 0) throw new ZeroMQConfigError('limit must not be negative');
      return () => void applied.push(`limit ${limit}`);
    },
  });
  reloads.add<Values>({
    names: ['level'],
    prepare:
      ({ level }) =>
      () =>
        void applied.push(`level ${level}`),
  });
  return { reloads, read, applied, lines, published };
}

describe('Reloads', () => {
  it('Reloads: applies all changes, and logs the names of the settings', async (t) => {
    const { reloads, read, applied, lines, published } = make(t);
    read.next = { limit: 2, level: 'debug', port: 80 };
    await reloads.reload('SIGHUP');
    await reloads.reload('SIGHUP');
    assert.deepEqual(applied, ['limit 2', 'level debug', 'limit 2', 'level debug']);
    assert.deepEqual(lines, ['reloaded the settings: limit, level', 'reloaded the settings: none']);
    assert.deepEqual(published, [true, true]);
  });

  it('Reloads: applies nothing if one part rejects its values, and tries all of them again later', async (t) => {
    const { reloads, read, applied, lines, published } = make(t);
    read.next = { limit: -1, level: 'debug', port: 80 };
    await reloads.reload('SIGHUP');
    assert.deepEqual(applied, []);
    const failed = 'cannot reload the settings: all of them stay as they were';
    assert.deepEqual(lines, [`${failed}: limit must not be negative`]);
    read.next = { limit: 3, level: 'debug', port: 80 };
    await reloads.reload('SIGHUP');
    assert.deepEqual(applied, ['limit 3', 'level debug']);
    assert.deepEqual(published, [false, true]);
  });

  it('Reloads: names the settings that need a restart, and applies none', async (t) => {
    const { reloads, read, applied, lines } = make(t);
    read.next = { limit: 2, level: 'info', port: 81 };
    await reloads.reload('SIGHUP');
    assert.deepEqual(applied, []);
    assert.match(lines.join(), /a change of port needs a restart/);
  });

  it('Reloads: a file that cannot be read changes nothing', async (t) => {
    const { reloads, read, applied, lines } = make(t);
    read.next = new ZeroMQConfigError('the file is not valid YAML');
    await reloads.reload('SIGHUP');
    assert.deepEqual(applied, []);
    assert.match(lines.join(), /not valid YAML/);
  });
});
