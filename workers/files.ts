/**
 * Stores uploaded files in a folder, and sends them. Neither is held in memory as a whole.
 *
 *     zeromq-gateway worker workers/files.ts --router tcp://127.0.0.1:5556
 *
 * The folder is `files` in the folder given by ZMQ_GATEWAY_DATA (default: data, in the working
 * folder).
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { defineWorker, file, ReplyError, reply } from 'zeromq-gateway';
import contract, { FILE_NAME, type FileInfo } from '../openapi/files.ts';
import { dataFolder } from './_data.ts';

let folder: string;

async function infoOf(name: string): Promise<FileInfo> {
  const { size, mtime } = await stat(join(folder, name));
  return { name, size, changedAt: mtime.toISOString() };
}

async function list(): Promise<FileInfo[]> {
  const names = (await readdir(folder)).filter((name) => FILE_NAME.test(name)).sort();
  return Promise.all(names.map(infoOf));
}

/** Stores a file. Others see it once it is complete; after a failure nothing is left. */
async function store(name: string, body: AsyncIterable<Buffer>): Promise<FileInfo> {
  const unfinished = join(folder, `.${randomUUID()}`);
  try {
    await pipeline(body, createWriteStream(unfinished));
    await rename(unfinished, join(folder, name));
  } finally {
    await rm(unfinished, { force: true });
  }
  return infoOf(name);
}

/** Clients choose the names of files in forms, and the contract does not check them. */
function checkName(name: string): string {
  if (name.length <= 200 && FILE_NAME.test(name)) return name;
  throw new ReplyError(400, 'INVALID_FILE_NAME', `${JSON.stringify(name)} is not a valid name of a file`);
}

export default defineWorker({
  contract,
  onStart: async () => {
    folder = join(dataFolder(), 'files');
    await mkdir(folder, { recursive: true });
  },
  handlers: {
    'files.list': async () => ({ items: await list() }),
    'files.add': async (_data, { parts }) => {
      const items: FileInfo[] = [];
      for await (const { filename, body } of parts) {
        if (filename !== undefined) items.push(await store(checkName(filename), body));
      }
      return reply(201, { items });
    },
    'files.put': ({ name }, { body }) => store(name, body),
    // Always the same type: a browser must not run what other people have uploaded.
    'files.get': ({ name }, context) =>
      file(name, context, { root: folder, contentType: 'application/octet-stream' }),
    'files.delete': async ({ name }) => {
      const removed = await rm(join(folder, name)).catch((error: NodeJS.ErrnoException) => error);
      if (removed?.code === 'ENOENT')
        throw new ReplyError(404, 'FILE_NOT_FOUND', `there is no file ${JSON.stringify(name)}`);
      if (removed !== undefined) throw removed;
      return reply(204);
    },
  },
});
