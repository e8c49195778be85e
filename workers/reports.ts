/**
 * Reports that take a second a page. Callers that do not want to wait send `Prefer: respond-async`,
 * and follow the progress.
 *
 *     zeromq-gateway worker workers/reports.ts --router tcp://127.0.0.1:5556
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineWorker } from 'zeromq-gateway';
import contract from '../openapi/reports.ts';

export default defineWorker({
  contract,
  concurrency: 10,
  handlers: {
    'reports.make': async ({ title, pages: count }, { progress, signal }) => {
      const pages: string[] = [];
      while (pages.length < count) {
        // The signal aborts when the caller cancels the request.
        await sleep(1000, undefined, { signal });
        pages.push(`${title}, page ${pages.length + 1}`);
        progress({ done: pages.length, of: count });
      }
      return { title, pages };
    },
  },
});
