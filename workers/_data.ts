/** The folder in which the samples store their data. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { ZeroMQConfigError } from 'zeromq-gateway';

/**
 * Creates the folder that ZMQ_GATEWAY_DATA names, or `data` in the working folder, and returns its
 * path.
 *
 * @throws {ZeroMQConfigError} when the folder cannot be created or written.
 */
export function dataFolder(): string {
  const folder = process.env.ZMQ_GATEWAY_DATA || 'data';
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new ZeroMQConfigError(
      `cannot store data in ${resolve(folder)}: ${code}; set ZMQ_GATEWAY_DATA to a folder that can be written`,
    );
  }
  return folder;
}
