/** Request bodies that are streams: uploads. */
import { atCaller } from '../core/messages/caller-stack.ts';
import { ContractError } from './errors.ts';
import { type Check, type Checks, checkMembers, flag, object, shown, text } from './member-checks.ts';
import { mediaTypeProblem } from './stream-replies.ts';

/** A file of a multipart upload. */
export interface UploadFile {
  /**
   * Media types or ranges that the file may have.
   *
   * @defaultValue any
   */
  readonly contentType?: string | readonly string[];
  /**
   * Whether the form must have the file.
   *
   * @defaultValue false
   */
  readonly required?: boolean;
  /**
   * Whether the form may have several files of this name.
   *
   * @defaultValue false
   */
  readonly multiple?: boolean;
  /**
   * Description of the file in OpenAPI.
   *
   * @defaultValue none
   */
  readonly description?: string;
}

/** Options of {@link upload}. */
export interface UploadOptions {
  /**
   * Media types or ranges that the body may have.
   *
   * @defaultValue `'multipart/form-data'` with `files`, `maxFiles` or `maxFields`, otherwise
   *   `'application/octet-stream'`
   */
  readonly contentType?: string | readonly string[];
  /**
   * Maximum length of the body in bytes.
   *
   * @defaultValue `limits.upload` of the gateway
   */
  readonly maxBytes?: number;
  /**
   * Maximum number of files of a multipart body.
   *
   * @defaultValue the limit of the gateway
   */
  readonly maxFiles?: number;
  /**
   * Maximum number of form fields of a multipart body.
   *
   * @defaultValue the limit of the gateway
   */
  readonly maxFields?: number;
  /**
   * Files of a multipart body by the name of their field; other files are then rejected.
   *
   * @defaultValue any number of files with any name
   */
  readonly files?: Readonly<Record<string, UploadFile>>;
  /**
   * Whether a request must have a body.
   *
   * @defaultValue true
   */
  readonly required?: boolean;
  /**
   * Description of the body in OpenAPI.
   *
   * @defaultValue none
   */
  readonly description?: string;
}

const MARK = Symbol.for('zeromq-gateway.upload');

/** A request body that the handler reads while it arrives; created by {@link upload}. */
export interface Upload {
  readonly [MARK]: true;
  /** Media types or ranges that the body may have, at least one. */
  readonly contentTypes: readonly string[];
  /** Maximum length of the body in bytes; undefined if the gateway decides. */
  readonly maxBytes: number | undefined;
  /** Maximum number of files of a multipart body; undefined if the gateway decides. */
  readonly maxFiles: number | undefined;
  /** Maximum number of form fields of a multipart body; undefined if the gateway decides. */
  readonly maxFields: number | undefined;
  /** Files of a multipart body by name; undefined if it may have any. */
  readonly files: Readonly<Record<string, UploadFile>> | undefined;
  /** Whether a request must have a body. */
  readonly required: boolean;
  /** Description of the body in OpenAPI. */
  readonly description: string | undefined;
}

const MULTIPART = 'multipart/form-data';

const count =
  (least: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= least
      ? undefined
      : `must be an integer of at least ${least}, got ${shown(value)}`;

const UPLOAD: Checks<UploadOptions> = {
  contentType: typesProblem,
  maxBytes: count(1),
  maxFiles: count(0),
  maxFields: count(0),
  files: object,
  required: flag,
  description: text,
};

const FILE: Checks<UploadFile> = {
  contentType: typesProblem,
  required: flag,
  multiple: flag,
  description: text,
};

/**
 * Declares a request body that is a stream. The handler reads its bytes from `context.body`, or the
 * files of a multipart body from `context.parts`, while they arrive. The `data` of the event has the
 * other fields of the request; those of a multipart body are form fields.
 *
 * @param options media types, limits and files.
 * @returns the body, for `body` of an event.
 * @throws {ContractError} when an option is not valid.
 * @example
 * ```ts
 * const contract = defineContract({
 *   name: 'photos',
 *   events: {
 *     'photos.add': {
 *       method: 'POST',
 *       path: '/photos',
 *       data: Joi.object({ title: Joi.string().required() }),
 *       body: upload({ files: { photo: { contentType: 'image/*', required: true } }, maxBytes: 50e6 }),
 *     },
 *   },
 * });
 * ```
 */
export function upload(options: UploadOptions = {}): Upload {
  return atCaller(upload, () => uploadOf(options));
}

/** Whether a value is the result of `upload()`, of this or another copy of the package. */
export function isUpload(value: unknown): value is Upload {
  return typeof value === 'object' && value !== null && MARK in value;
}

/** Whether the body of an upload is a form. */
export function isMultipart({ contentTypes }: Upload): boolean {
  return contentTypes.some(isMultipartType);
}

/** Whether a media type is that of forms with files. */
export function isMultipartType(mediaType: string): boolean {
  return mediaType.split(';', 1)[0]?.trim().toLowerCase() === MULTIPART;
}

/** The media types of an option that takes one or several. */
export function listOf(types: string | readonly string[]): readonly string[] {
  return typeof types === 'string' ? [types] : types;
}

function uploadOf(options: UploadOptions): Upload {
  const problem = object(options);
  if (problem !== undefined) throw new ContractError(`upload: the options ${problem}`);
  checkMembers(options, UPLOAD, 'upload: ');
  const { maxBytes, maxFiles, maxFields, files, required = true, description } = options;
  for (const [name, file] of Object.entries(files ?? {})) {
    const wrong = object(file);
    if (wrong !== undefined) throw new ContractError(`upload: the file ${name} ${wrong}`);
    checkMembers(file, FILE, `upload: the file ${name}: `);
  }
  const isForm = files !== undefined || maxFiles !== undefined || maxFields !== undefined;
  const contentTypes = listOf(options.contentType ?? (isForm ? MULTIPART : 'application/octet-stream'));
  const multipart = contentTypes.filter(isMultipartType);
  if (isForm && multipart.length === 0) {
    const member = files !== undefined ? 'files' : maxFiles !== undefined ? 'maxFiles' : 'maxFields';
    throw new ContractError(
      `upload: ${member} requires the content type ${MULTIPART}, got ${contentTypes.join(', ')}`,
    );
  }
  if (multipart.length > 0 && contentTypes.length > 1) {
    throw new ContractError(
      `upload: ${MULTIPART} must be the only content type: other bodies have neither fields nor files`,
    );
  }
  if (maxFiles !== undefined) checkCount(files ?? {}, maxFiles);
  return { [MARK]: true, contentTypes, maxBytes, maxFiles, maxFields, files, required, description };
}

function checkCount(files: Readonly<Record<string, UploadFile>>, maxFiles: number): void {
  const required = Object.values(files).filter((file) => file.required === true).length;
  if (required > maxFiles) {
    throw new ContractError(`upload: maxFiles is ${maxFiles}, but ${required} files are required`);
  }
}

function typesProblem(types: unknown): string | undefined {
  if (typeof types === 'string') return mediaTypeProblem(types);
  if (!Array.isArray(types) || types.length === 0) {
    return `must be a media type or a list of media types, got ${shown(types)}`;
  }
  return types.map(mediaTypeProblem).find((problem) => problem !== undefined);
}
