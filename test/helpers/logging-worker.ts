/**
 * A worker that logs its executions for the checker of outcomes (soak/lib/checker.ts), and the
 * OpenAPI document of its operations. `Load` logs the requests.
 */

/**
 * Source of a worker module. Each execution appends a line to a file of its process in the folder
 * that CHECKER_LOG names, and takes 5 ms.
 */
export const LOGGING_WORKER = `
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { defineWorker } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
const file = join(process.env.CHECKER_LOG, \`worker-\${process.pid}.jsonl\`);
const run = async ({ id }) => {
  const by = randomUUID();
  appendFileSync(file, JSON.stringify({ t: 'began', id, by }) + '\\n');
  await delay(5);
  return { id, by };
};
export default defineWorker({ handlers: { read: run, write: run } });
`;

/** The operations of the worker: `read` is idempotent, `write` is not. */
export const LOGGING_DOCUMENT = `
openapi: 3.1.0
info: { title: Logging worker, version: 1.0.0 }
paths:
  /read/{id}:
    get:
      x-event-name: read
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { "200": { description: Ran at least once } }
  /write:
    post:
      x-event-name: write
      requestBody:
        content:
          application/json:
            schema: { type: object, properties: { id: { type: string } } }
      responses: { "200": { description: Ran once } }
`;
