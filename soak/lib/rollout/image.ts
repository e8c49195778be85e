/**
 * What the images of two releases contain in place of workers/echo.ts: a worker that logs its executions
 * for the checker. The second release has another contract, which is compatible with the first.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const DIST = new URL('../../../dist/index.js', import.meta.url).href;
const LOG = new URL('../log.ts', import.meta.url).href;
const JOI = import.meta.resolve('joi');

/** Path below the address of a gateway of the operations that `Load` sends. */
export const PREFIX = '/echo';

/** Path of an operation that only the second release has. */
export const ADDED = `${PREFIX}/added`;

const source = (release: 1 | 2): string => `
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import Joi from ${JSON.stringify(JOI)};
import { defineContract, defineWorker } from ${JSON.stringify(DIST)};
import { Log } from ${JSON.stringify(LOG)};

const log = new Log(process.env.CHECKER_LOG, \`worker-\${randomUUID()}\`);
const run = async ({ id }) => {
  const by = randomUUID();
  log.write({ t: 'began', id, by });
  await delay(5);
  return { id, by };
};
const replies = { 200: Joi.object({ id: Joi.string().required(), by: Joi.string().required() }) };
const id = Joi.string().required();
const data = Joi.object({ id${release === 1 ? '' : ', note: Joi.string()'} });
const events = {
  'echo.read': { method: 'GET', path: '${PREFIX}/read/{id}', data, replies },
  'echo.write': { method: 'POST', path: '${PREFIX}/write', data, replies },
  ${release === 1 ? '' : `'echo.added': { method: 'GET', path: '${ADDED}', replies: { 200: Joi.object() } },`}
};
export default defineWorker({
  contract: defineContract({ name: 'echo', info: { title: 'Echo', version: '${release}.0.0' }, events }),
  handlers: {
    'echo.read': run,
    'echo.write': run,
    ${release === 1 ? '' : `'echo.added': () => ({}),`}
  },
});
`;

/** Writes the worker of a release, and returns the folder to run commands in. */
export function writeImage(folder: string, release: 1 | 2): string {
  const image = path.join(folder, `release-${release}`);
  mkdirSync(path.join(image, 'workers'), { recursive: true });
  writeFileSync(path.join(image, 'workers/echo.ts'), source(release));
  return image;
}

/** Folder of the log that the workers and the load write. */
export function logFolder(folder: string): string {
  const place = path.join(folder, 'log');
  mkdirSync(place);
  return place;
}
