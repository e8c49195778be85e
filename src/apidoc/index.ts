/**
 * apidoc: many contracts in, one OpenAPI document and its operations out. `registry.ts` is the way in; a source
 * passes through `ingest.ts` (checked, normalised) and `merge.ts` (named, put together); `load.ts` reads files;
 * `validators.ts` compiles schemas of the served document.
 */
export { createAjv } from './ajv.ts';
export { contractChecker, type RegistryChecker } from './checker.ts';
export type { ContractComparison } from './compatibility.ts';
export type { Direction } from './direction.ts';
export { validateExactly } from './exact-keywords.ts';
export { type ContractLimits, DOCUMENT_LIMITS, WORKER_LIMITS } from './limits.ts';
export { type LoadedDocument, loadDocument, putDocument } from './load.ts';
export * from './operation.ts';
export type { SourceKind, Unnamed } from './options.ts';
export { PROBLEM_MEDIA_TYPE } from './problem.ts';
export { ApiRegistry, type ApiRegistryOptions, type PutOptions } from './registry.ts';
export { numberTags, SpelledNumber, spelledIfLost } from './spelled-number.ts';
export { type ErrorObject, type Purpose, SchemaCompiler, type ValidateFunction } from './validators.ts';
export { type DocumentWatcher, type WatchedDocument, type WatchOptions, watchDocuments } from './watch.ts';
