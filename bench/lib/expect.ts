/** Whether a contender does the work: one request before any is counted. */
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE = 20_000;
const PAUSE = 50;

/**
 * Asks until the reply is what it should be: workers may still be on their way to their router.
 *
 * @throws Error with the last reply when that does not come about.
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
