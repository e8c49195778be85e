/** Drivers: processes of the benchmark itself that are told over IPC what to do, and tell what came of it. */
import { fileURLToPath } from 'node:url';
import type { Launch } from './contender.ts';
import type { RunningProcess } from './process.ts';

/** Starts `bench/drivers/<file>` under the name given; it is ready when it says `ready`. */
export function startDriver(
  launch: Launch,
  name: string,
  file: string,
  args: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<RunningProcess> {
  const path = fileURLToPath(new URL(`../drivers/${file}`, import.meta.url));
  return launch({
    name,
    command: process.execPath,
    args: [...flags, '--import', 'tsx', path, ...args],
    ready: /^ready ?(.*)$/,
    ipc: true,
  });
}

const ANSWER_TIMEOUT = 120_000;

/**
 * Tells a driver to do something and waits for its answer, two minutes at most.
 *
 * @throws Error when the driver ends, or what it threw.
 */
export function ask<T>(driver: RunningProcess, command: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const { child, name } = driver;
    const settle = (): void => {
      clearTimeout(timer);
      child.off('message', answered);
      child.off('exit', ended);
    };
    const answered = (message: unknown): void => {
      settle();
      const { error, result } = message as { error?: string; result?: T };
      if (error === undefined) resolve(result as T);
      else reject(new Error(`${name}: ${error}`));
    };
    const ended = (): void => {
      settle();
      reject(new Error(`${name} ended while it was asked`));
    };
    const timer = setTimeout(() => {
      settle();
      reject(new Error(`${name} did not answer in time`));
    }, ANSWER_TIMEOUT);
    child.on('message', answered);
    child.once('exit', ended);
    child.send(command);
  });
}

const PATIENCE = 200;

/**
 * Lets a client ask until a worker answers: workers may still be on their way to their router.
 *
 * @throws Error when none does.
 */
export async function untilServed(client: RunningProcess): Promise<void> {
  for (let tries = 0; tries < PATIENCE; tries += 1) {
    const { errors } = await ask<{ errors: number }>(client, { window: 1, seconds: 0.05 });
    if (errors === 0) return;
  }
  throw new Error(`${client.name}: no worker answers`);
}
