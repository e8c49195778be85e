/**
 * contract: the events of a worker, defined once. `define.ts` is the entry point. `fragment.ts`
 * derives the OpenAPI document, `joi-to-openapi/` its schemas; `standard-schema.ts` supports
 * libraries other than Joi.
 */
export { assertHandlers, type Contract, defineContract, typed } from './define.ts';
export type * from './definition.ts';
export { ContractError, type ContractLocation } from './errors.ts';
export { type FormFile, type FormFileOptions, formFile } from './form-file.ts';
export type * from './handler-types.ts';
export { Joi } from './joi.ts';
export { type ConvertedSchema, joiToSchema, type Mode as ConversionMode } from './joi-to-openapi/index.ts';
export { PERMISSIVE_PATTERNS as EXCEPTIONS } from './joi-to-openapi/regex.ts';
export { isConvertedText, NUMERIC_PATTERN } from './joi-to-openapi/scalars.ts';
export { IDEMPOTENT_METHODS } from './methods.ts';
export type { ContractSchema, InputOf, OutputOf, Validation, ValidationIssue } from './standard-schema.ts';
export {
  type BytesOptions,
  bytes,
  type NdjsonOptions,
  ndjson,
  type SseOptions,
  type StreamedReply,
  type StreamReplyOptions,
  sse,
} from './stream-replies.ts';
export { type StreamRule, streamRulesOf } from './stream-rules.ts';
export { sequentialFormat } from './stream-types.ts';
export { type Upload, type UploadFile, type UploadOptions, upload } from './uploads.ts';
