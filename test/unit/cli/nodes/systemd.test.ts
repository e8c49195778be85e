/** The reports of a command to systemd. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { SystemdReports } from '../../../../src/cli/nodes/systemd.ts';

function make(t: TestContext, env: Record<string, string>, failure?: Error) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const sent: string[] = [];
  const lines: string[] = [];
  const reports = new SystemdReports(
    env,
    (line) => lines.push(line),
    (assignments, failed) => {
      sent.push(assignments.join(' '));
      if (failure !== undefined) failed(failure);
    },
  );
  t.after(() => reports.close());
  return { reports, sent, lines, pass: (ms: number) => t.mock.timers.tick(ms) };
}

const SOCKET = { NOTIFY_SOCKET: '/run/systemd/notify' };

describe('SystemdReports', () => {
  it('systemd: learns that the command is ready and that it stops', (t) => {
    const { reports, sent, pass } = make(t, SOCKET);
    reports.ready('tcp://127.0.0.1:5555');
    pass(60_000);
    reports.stopping();
    assert.deepEqual(sent, ['READY=1 STATUS=tcp://127.0.0.1:5555', 'STOPPING=1 STATUS=draining']);
  });

  it('systemd: the watchdog gets three reports per interval until the end', (t) => {
    const watchdog = { WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(process.pid) };
    const { reports, sent, pass } = make(t, { ...SOCKET, ...watchdog });
    pass(30_000);
    assert.deepEqual(sent, []);
    reports.ready('');
    pass(30_000);
    assert.deepEqual(sent.slice(1), ['WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1']);
    reports.close();
    pass(30_000);
    assert.equal(sent.length, 4);
  });

  it('systemd: the watchdog of another process gets no reports', (t) => {
    const { reports, sent, pass } = make(t, { ...SOCKET, WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' });
    reports.ready('');
    pass(60_000);
    assert.equal(sent.length, 1);
  });

  it('systemd: nothing is sent without its socket', (t) => {
    const { reports, sent, pass } = make(t, { WATCHDOG_USEC: '30000000' });
    reports.ready('');
    pass(60_000);
    reports.stopping();
    assert.deepEqual(sent, []);
  });

  it('systemd: a report that cannot be sent is printed, and ends the watchdog', (t) => {
    const env = { ...SOCKET, WATCHDOG_USEC: '30000000' };
    const { reports, sent, lines, pass } = make(t, env, new Error('spawn systemd-notify ENOENT'));
    reports.ready('');
    pass(30_000);
    assert.equal(sent.length, 1);
    assert.deepEqual(lines, ['cannot report READY=1 to systemd: spawn systemd-notify ENOENT']);
  });
});
