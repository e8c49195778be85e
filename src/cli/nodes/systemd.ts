/**
 * Reports of a command to systemd, see sd_notify(3): that it is ready, that it stops, and that its
 * event loop turns (the watchdog). Node.js has no datagram sockets of the address family AF_UNIX, so
 * systemd-notify(1) sends the reports. Without NOTIFY_SOCKET they cost nothing.
 */
import { execFile } from 'node:child_process';

/** Reports per watchdog interval. systemd recommends two, sd_watchdog_enabled(3). */
const REPORTS = 3;

/** Sends assignments such as `READY=1`; calls `failed` if that is not possible. */
export type SendReport = (assignments: readonly string[], failed: (error: Error) => void) => void;

const send: SendReport = (assignments, failed) => {
  execFile('systemd-notify', [...assignments], (error) => {
    if (error !== null) failed(error);
  }).unref();
};

export class SystemdReports {
  private enabled: boolean;
  /** Interval of the watchdog reports, in ms; 0 if systemd asks for none. */
  private readonly interval: number;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param warn receives the line to print if a report cannot be sent.
   * @param sendReport sends a report.
   */
  constructor(
    env: Readonly<Record<string, string | undefined>>,
    private readonly warn: (line: string) => void,
    private readonly sendReport: SendReport = send,
  ) {
    this.enabled = (env['NOTIFY_SOCKET'] ?? '') !== '';
    const { WATCHDOG_PID: pid = String(process.pid), WATCHDOG_USEC: time = '0' } = env;
    const isOurs = pid === String(process.pid) && /^\d+$/.test(time);
    this.interval = isOurs ? Number(time) / 1000 / REPORTS : 0;
  }

  /** The command is ready. The watchdog starts. @param status text for `systemctl status`. */
  ready(status: string): void {
    this.report('READY=1', `STATUS=${status}`);
    if (!this.enabled || this.interval <= 0) return;
    clearInterval(this.timer);
    this.timer = setInterval(() => this.report('WATCHDOG=1'), this.interval).unref();
  }

  /** The command drains and stops. The watchdog continues until the process ends. */
  stopping(): void {
    this.report('STOPPING=1', 'STATUS=draining');
  }

  /** Ends the watchdog. */
  close(): void {
    clearInterval(this.timer);
  }

  private report(...assignments: string[]): void {
    if (!this.enabled) return;
    this.sendReport(assignments, ({ message }) => {
      this.enabled = false;
      clearInterval(this.timer);
      this.warn(`cannot report ${assignments[0] ?? ''} to systemd: ${message.trim()}`);
    });
  }
}
