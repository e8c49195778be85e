/**
 * OpenAPI: turns many contracts into one OpenAPI document and its operations. The entry point is
 * `registry/registry.ts`. `files` reads documents, `normalise` brings each source to OpenAPI 3.1
 * and merges all sources, `checks` compiles validators and compares versions, and `model` has the
 * types and the rules for single objects.
 */
export { memberOfMethod } from '../contract/other-methods.ts';
export { createAjv } from './checks/ajv.ts';
export type { ContractComparison } from './checks/compatibility.ts';
export { validateExactly } from './checks/exact-keywords.ts';
export {
  type ErrorObject,
  type Purpose,
  SchemaCompiler,
  type ValidateFunction,
} from './checks/validators.ts';
export { CHANGE_LEVELS, type ChangeLevel, type ContractChange } from './diff/change.ts';
export { compareDocuments } from './diff/compare-documents.ts';
export type { Direction } from './model/direction.ts';
export { PROBLEM_MEDIA_TYPE } from './model/error-responses.ts';
export { asVersion32 } from './model/later-names.ts';
export { type ContractLimits, DOCUMENT_LIMITS, WORKER_LIMITS } from './model/limits.ts';
export * from './model/operation.ts';
export type { SourceKind, Unnamed } from './model/options.ts';
export { ReadContract } from './model/read-contract.ts';
export { numberTags, SpelledNumber, spelledIfLost } from './model/spelled-number.ts';
export { itemsOf } from './model/streams.ts';
export { contractChecker, type RegistryChecker } from './registry/checker.ts';
export { type LoadedDocument, loadDocument, putDocument } from './registry/load.ts';
export { ApiRegistry, type ApiRegistryOptions, type PutOptions } from './registry/registry.ts';
export {
  type DocumentWatcher,
  type WatchedDocument,
  type WatchOptions,
  watchDocuments,
} from './registry/watch.ts';
export { type SampleOptions, Samples } from './samples/samples.ts';
export { encodeItems, streamSample } from './samples/stream-items.ts';
