/** Zones: names of places, such as data centres, between which messages take longer. */
import { ZeroMQConfigError } from '../messages/errors.ts';

/** Whether a value is the name of a zone: 1 to 64 letters, digits, dots, hyphens and underscores. */
export function isZone(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value);
}

/**
 * Checks an option.
 *
 * @throws {ZeroMQConfigError} when it is given and is not the name of a zone.
 */
export function checkZone(zone: string | undefined): string | undefined {
  if (zone === undefined || isZone(zone)) return zone;
  throw new ZeroMQConfigError(
    `zone must have 1 to 64 letters, digits, dots, hyphens and underscores, got ${JSON.stringify(zone)}`,
  );
}
