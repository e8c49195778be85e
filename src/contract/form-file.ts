/** Files of forms that are not streamed: the gateway sends them to the worker as JSON. */
import Joi from 'joi';
import { atCaller } from '../core/messages/caller-stack.ts';
import { ContractError } from './errors.ts';
import { META } from './form-file-schema.ts';
import { type Checks, checkMembers, object, shown } from './member-checks.ts';
import { mediaTypeProblem } from './stream-replies.ts';
import { listOf } from './uploads.ts';

/** A file of a form, as handlers receive it. */
export interface FormFile {
  /** Name of the file, without folders; undefined if the part has none. */
  readonly filename?: string;
  /** Media type without parameters, in lower case. */
  readonly contentType: string;
  /** Length in bytes. */
  readonly size: number;
  /** Its bytes. */
  readonly content: Buffer;
}

/** Options of {@link formFile}. */
export interface FormFileOptions {
  /**
   * Media types or ranges that the file may have.
   *
   * @defaultValue any
   */
  readonly contentType?: string | readonly string[];
  /**
   * Maximum length of the file in bytes.
   *
   * @defaultValue `limits.body` of the gateway, for the whole form
   */
  readonly maxBytes?: number;
}

const OPTIONS: Checks<FormFileOptions> = {
  contentType: (types) =>
    Array.isArray(types)
      ? types.map(mediaTypeProblem).find((problem) => problem !== undefined)
      : mediaTypeProblem(types),
  maxBytes: (value) =>
    Number.isSafeInteger(value) && Number(value) > 0
      ? undefined
      : `must be an integer of at least 1, got ${shown(value)}`,
};

/**
 * Creates the schema of a file in a form (`multipart/form-data`) that reaches the handler whole,
 * with its content as a Buffer. The form may be as long as `limits.body` of the gateway; for longer
 * ones, see {@link upload}.
 *
 * @param options media types and maximum length.
 * @returns a Joi schema for a field of `data`; add `.required()` as for any other field. The event
 *   needs `bodyTypes: ['multipart/form-data']`.
 * @throws {ContractError} when an option is not valid.
 * @example
 * ```ts
 * const data = Joi.object({
 *   title: Joi.string().required(),
 *   photo: formFile({ contentType: 'image/*', maxBytes: 1e6 }).required(),
 * });
 * ```
 */
export function formFile(options: FormFileOptions = {}): Joi.ObjectSchema<FormFile> {
  return atCaller(formFile, () => {
    const problem = object(options);
    if (problem !== undefined) throw new ContractError(`formFile: the options ${problem}`);
    checkMembers(options, OPTIONS, 'formFile: ');
    const { contentType, maxBytes } = options;
    const content = Joi.binary().encoding('base64');
    const types = contentType === undefined ? [] : listOf(contentType);
    return Joi.object<FormFile>({
      filename: Joi.string().allow(''),
      contentType: Joi.string().required(),
      size: Joi.number(),
      content: (maxBytes === undefined ? content : content.max(maxBytes)).required(),
    }).meta({ [META]: { types, ...(maxBytes === undefined ? {} : { maxBytes }) } });
  });
}
