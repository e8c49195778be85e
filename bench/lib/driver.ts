/** Drivers: processes of the benchmark that receive commands over IPC and return results. */
import { fileURLToPath } from 'node:url';
import type { Launch } from './contender.ts';
import type { RunningProcess } from './process.ts';

/**
 * Starts `bench/drivers/<file>` under the given name. The driver is ready when it prints `ready`.
 */
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
 * Sends a command to a driver and waits for its result, at most two minutes.
 *
 * @throws {Error} when the driver ends, when the command fails, or when there is no result in time.
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
 * Makes a client send requests until a worker replies, since workers may still be connecting.
 *
 * @throws {Error} when no worker replies.
 */
export async function untilServed(client: RunningProcess): Promise<void> {
  for (let tries = 0; tries < PATIENCE; tries += 1) {
    const { errors } = await ask<{ errors: number }>(client, { window: 1, seconds: 0.05 });
    if (errors === 0) return;
  }
  throw new Error(`${client.name}: no worker answers`);
}
