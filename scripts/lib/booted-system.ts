/** A Debian with systemd as process 1 in a container of systemd-nspawn. Needs root. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { until } from './run.ts';

/** How long the system may take to start, in ms. */
const BOOT_TIME = 120_000;

/** How a program in the system ended. */
export interface Ended {
  readonly code: number | null;
  /** Standard output and standard error. */
  readonly output: string;
}

/** The first child of a process; undefined without one. */
function childOf(pid: number): number | undefined {
  const { stdout } = spawnSync('ps', ['--ppid', String(pid), '-o', 'pid='], { encoding: 'utf8' });
  const [child] = stdout.trim().split(/\s+/).map(Number);
  return child === undefined || child === 0 ? undefined : child;
}

export class BootedSystem {
  private constructor(
    private readonly container: ChildProcess,
    /** The process id of its process 1, on this machine. */
    readonly init: number,
  ) {}

  /** Starts the system in a root file system. It has a network of its own, with loopback only. */
  static async boot(root: string): Promise<BootedSystem> {
    // Where systemd is not process 1, there is no manager to register the container with.
    const unmanaged = existsSync('/run/systemd/system') ? [] : ['--keep-unit'];
    const args = ['--boot', '--register=no', ...unmanaged, '--private-network', '--console=pipe'];
    const container = spawn('systemd-nspawn', [...args, '--directory', root], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [container.stdout, container.stderr]) {
      stream.on('data', (data: Buffer) => (output += data.toString()));
    }
    let init: number | undefined;
    const isBooted = (): boolean => {
      if (container.exitCode !== null) throw new Error(`systemd-nspawn failed: ${output}`);
      init = childOf(container.pid ?? 0);
      if (init === undefined) return false;
      const asked = new BootedSystem(container, init).exec('systemctl', ['is-system-running']);
      return /^(running|degraded)$/m.test(asked.output);
    };
    await until(isBooted, () => `the system does not start: ${output}`, BOOT_TIME);
    return new BootedSystem(container, init ?? 0);
  }

  /** Runs a program in the system. */
  exec(program: string, args: readonly string[]): Ended {
    const enter = ['--target', String(this.init), '--all', program, ...args];
    const { status, stdout, stderr } = spawnSync('nsenter', enter, { encoding: 'utf8' });
    return { code: status, output: `${stdout}${stderr}`.trim() };
  }

  /** The name of process 1. */
  get initName(): string {
    return readFileSync(`/proc/${this.init}/comm`, 'utf8').trim();
  }

  /** Shuts the system down. */
  async close(): Promise<void> {
    if (this.container.exitCode !== null) return;
    const ended = once(this.container, 'exit');
    this.container.kill('SIGTERM');
    const timer = setTimeout(() => this.container.kill('SIGKILL'), 60_000);
    await ended;
    clearTimeout(timer);
  }
}
