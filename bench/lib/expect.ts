/** Verifies that a contender works before it is measured. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withUnique } from './load.ts';

const PATIENCE = 20_000;
const PAUSE = 50;

/** A request, and the reply that it must get. */
export interface Expectation {
  readonly url: string;
  /** Body of a POST request. Without a body, a GET request is sent. */
  readonly body?: string | undefined;
  /** Header fields, as in `HttpLoad`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Status of the reply.
   *
   * @defaultValue 200
   */
  readonly status?: number | undefined;
  /** JSON value of the reply; anything if undefined. */
  readonly reply?: unknown;
}

/**
 * Sends requests until the reply is as expected, since workers may still be connecting.
 *
 * @throws {Error} with the last reply when the expected one does not arrive in time.
 */
export async function expectReply(expectation: Expectation): Promise<void> {
  const { url, body, headers: given = {}, status = 200, reply } = expectation;
  const wanted = reply === undefined ? `a reply with status ${status}` : JSON.stringify(reply);
  const end = Date.now() + PATIENCE;
  let last = '';
  while (Date.now() < end) {
    const headers = { 'content-type': 'application/json', ...withUnique(given) };
    const request = body === undefined ? { headers: withUnique(given) } : { method: 'POST', headers, body };
    try {
      const response = await fetch(url, { ...request, signal: AbortSignal.timeout(PATIENCE) });
      last = await response.text();
      if (response.status === status && (reply === undefined || last === wanted)) return;
      last = `${response.status} ${last}`;
    } catch (error) {
      last = String(error);
    }
    await sleep(PAUSE);
  }
  throw new Error(`${url} should reply ${wanted}, but: ${last}`);
}
