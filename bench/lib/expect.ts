/** Verifies that a contender works before it is measured. */
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE = 20_000;
const PAUSE = 50;

/**
 * Sends requests until the reply is as expected, since workers may still be connecting.
 *
 * @throws {Error} with the last reply when the expected one does not arrive in time.
 */
export async function expectReply(url: string, body: string | undefined, reply: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const wanted = JSON.stringify(reply);
  const end = Date.now() + PATIENCE;
  let last = '';
  while (Date.now() < end) {
    const request = body === undefined ? {} : { method: 'POST', headers, body };
    try {
      const response = await fetch(url, { ...request, signal: AbortSignal.timeout(PATIENCE) });
      last = await response.text();
      if (response.status === 200 && last === wanted) return;
    } catch (error) {
      last = String(error);
    }
    await sleep(PAUSE);
  }
  throw new Error(`${url} should reply ${wanted}, but: ${last}`);
}
