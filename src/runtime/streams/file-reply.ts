/** Replies that send a file. */
import type { Stats } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import path from 'node:path';
import type * as ContentDisposition from 'content-disposition';
import type * as MimeTypes from 'mime-types';
import { lazyPackage } from '../../core/identity/lazy-package.ts';
import { ReplyError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { HandlerContext } from '../handler-context.ts';
import type { Reply } from '../reply.ts';
import type { StreamBody } from './source.ts';
import { stream } from './stream.ts';

const contentDisposition = lazyPackage<typeof ContentDisposition>('content-disposition');
const mimeTypes = lazyPackage<typeof MimeTypes>('mime-types');

/** Options of {@link file}. */
export interface FileOptions {
  /**
   * Folder that the file must be in. The path is relative to it; a path that leads out of it, with
   * `..` or a symbolic link, is answered like a missing file.
   *
   * @defaultValue none: the path is used unchecked, so never take it from a request
   */
  readonly root?: string;
  /**
   * Media type.
   *
   * @defaultValue from the extension of the file name; `application/octet-stream` for unknown ones
   */
  readonly contentType?: string;
  /**
   * Name under which browsers save the file.
   *
   * @defaultValue the name of the file
   */
  readonly filename?: string;
  /**
   * Whether browsers show the file instead of saving it.
   *
   * @defaultValue false
   */
  readonly inline?: boolean;
  /**
   * Further HTTP response headers.
   *
   * @defaultValue none
   */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Bytes that are read from a file at a time. */
const READ_BYTES = 256 * 1024;

/** Errors for which the caller sees a missing file; it need not learn what else is there. */
const MISSING: ReadonlySet<string | undefined> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EACCES',
  'ELOOP',
  'ENAMETOOLONG',
  'ERR_INVALID_ARG_VALUE',
]);

/**
 * Creates a reply that sends a file as a stream, for handlers to return. It has the headers
 * `Content-Length`, `Last-Modified`, `ETag`, `Accept-Ranges` and `Content-Disposition`, and answers
 * range requests with 206 or 416 (RFC 9110, section 14).
 *
 * @param name path of the file.
 * @param context context of the handler, which has the requested range.
 * @param options root folder, media type, and name for browsers.
 * @returns the reply for the handler to return.
 * @throws {ReplyError} 404 when there is no such file, 416 when the range is not satisfiable.
 * @example
 * ```ts
 * const handlers = {
 *   'reports.download': ({ id }: { id: number }, context: HandlerContext) =>
 *     file(`${id}.pdf`, context, { root: '/srv/reports' }),
 * };
 * ```
 */
export async function file(
  name: string,
  context: Pick<HandlerContext, 'range'>,
  options: FileOptions = {},
): Promise<Reply<200 | 206, StreamBody<Buffer>>> {
  if (typeof name !== 'string')
    throw new ZeroMQConfigError(`file: name must be a string, got ${typeof name}`);
  const handle = await openFile(name, options.root);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw missing(name);
    return replyWith(handle, stats, name, context, options);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function replyWith(
  handle: FileHandle,
  stats: Stats,
  name: string,
  context: Pick<HandlerContext, 'range'>,
  { contentType, filename = path.basename(name), inline = false, headers }: FileOptions,
): Reply<200 | 206, StreamBody<Buffer>> {
  const { size } = stats;
  const etag = `"${Math.floor(stats.mtimeMs).toString(16)}-${size.toString(16)}"`;
  const lastModified = stats.mtime.toUTCString();
  const range = context.range(size, { etag, lastModified });
  const { start, end } = range ?? { start: 0, end: size - 1 };
  const all = {
    'accept-ranges': 'bytes',
    etag,
    'last-modified': lastModified,
    'content-disposition': contentDisposition().create(filename, { type: inline ? 'inline' : 'attachment' }),
    ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${size}` }),
    ...headers,
    'content-length': String(end - start + 1),
  };
  const type = contentType ?? typeOf(name);
  const source = handle.createReadStream({ start, end: Math.max(end, 0), highWaterMark: READ_BYTES });
  return stream<Buffer, 200 | 206>(source, {
    status: range === undefined ? 200 : 206,
    headers: all,
    contentType: type,
  });
}

async function openFile(name: string, root: string | undefined): Promise<FileHandle> {
  try {
    return await open(root === undefined ? name : await pathWithin(root, name));
  } catch (error) {
    if (!MISSING.has((error as NodeJS.ErrnoException).code)) throw error;
    throw missing(name);
  }
}

async function pathWithin(root: string, name: string): Promise<string> {
  const folder = await realpath(root);
  const found = await realpath(path.join(folder, name));
  if (!found.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep)) throw missing(name);
  return found;
}

function missing(name: string): ReplyError {
  return new ReplyError(404, 'FILE_NOT_FOUND', `there is no file ${JSON.stringify(path.basename(name))}`);
}

function typeOf(name: string): string {
  const type = mimeTypes().contentType(path.extname(name));
  return type === false ? 'application/octet-stream' : type;
}
