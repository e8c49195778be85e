/** Debugger ports of workers: each thread of each file keeps its port over all reloads. */
import { isFree } from '../../worker/threads/inspector.ts';

export class InspectorPorts {
  private readonly ports = new Map<string, Promise<readonly number[]>>();
  private last: Promise<unknown> = Promise.resolve();

  /**
   * @param next first port to try.
   * @param threads number of threads of each file.
   */
  constructor(
    private next: number,
    private readonly threads: number,
  ) {}

  /** The ports of a worker file, one for each of its threads. */
  portsOf(file: string): Promise<readonly number[]> {
    const known = this.ports.get(file);
    if (known !== undefined) return known;
    // One file after the other, so that they get different ports.
    const ports = this.last.then(() => this.choose());
    this.last = ports;
    this.ports.set(file, ports);
    return ports;
  }

  private async choose(): Promise<readonly number[]> {
    const chosen: number[] = [];
    for (; chosen.length < this.threads && this.next < 65_536; this.next += 1)
      if (await isFree(this.next)) chosen.push(this.next);
    return chosen;
  }
}
