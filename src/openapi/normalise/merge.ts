/** Merges many normalised documents into the served document and its operations. */
import type { OpenAPIV3_1 } from 'openapi-types';
import { isObject, type Json, type JsonObject, member, textOf } from '../../contract/json.ts';
import { memberOfMethod } from '../../contract/other-methods.ts';
import { type Kind, kindOf, transform, transformDocument } from '../../contract/shapes.ts';
import type { Steps } from '../../core/time/steps.ts';
import { componentName } from '../files/references.ts';
import { partsOfRef, refTo, resolve } from '../model/component-reference.ts';
import { errorResponseComponents, withErrorResponses } from '../model/error-responses.ts';
import type { Ingested, IngestedOperation } from '../model/ingested.ts';
import type { Operation } from '../model/operation.ts';
import { operationOf } from '../model/operations.ts';
import type { DocumentBase, Merged, MergedEntry, MergedSource } from './merged.ts';

const UNAVAILABLE = 'No worker serves this operation at present; it responds with 503.';

/** Merges the sources in order; clashing component names of later sources get a prefix. */
export function* merge(sources: readonly MergedSource[], base: DocumentBase): Steps<Merged> {
  const merger = new Merger(base);
  for (const source of sources) yield* merger.add(source);
  return yield* merger.finish(sources);
}

/** Marks a source as available or unavailable. Names and schemas stay identical objects. */
export function markSource(merged: Merged, source: string, available: boolean): Merged {
  const paths = { ...merged.document.paths } as JsonObject;
  for (const { path, method, source: of, operation } of merged.entries) {
    if (of !== source) continue;
    paths[path] = {
      ...(paths[path] as JsonObject),
      [memberOfMethod(method)]: markAvailability(operation, available),
    };
  }
  return {
    document: { ...merged.document, paths: paths as OpenAPIV3_1.PathsObject },
    operations: merged.operations.map((one) => (one.source === source ? { ...one, available } : one)),
    entries: merged.entries,
  };
}

/** Returns the operation as the document shows it. */
function markAvailability(operation: JsonObject, available: boolean): JsonObject {
  if (available) return operation;
  const description = member(operation, 'description');
  return {
    ...operation,
    'x-available': false,
    description: typeof description === 'string' ? `${description}\n\n${UNAVAILABLE}` : UNAVAILABLE,
  };
}

class Merger {
  private readonly base: DocumentBase;
  private readonly components: Record<string, JsonObject>;
  /** Fingerprints of components by `section/name`, computed only when names clash. */
  private readonly taken = new Map<string, () => Steps<string>>();
  private readonly paths: JsonObject = {};
  /** Paths of the document by the shape of their template. */
  private readonly shapes = new Map<string, { path: string; names: readonly string[] }>();
  private readonly operationIds = new Set<string>();
  private readonly tags = new Map<string, Json>();
  private readonly webhooks: JsonObject = {};
  private readonly entries: (MergedEntry & { readonly available: boolean })[] = [];

  constructor(base: DocumentBase) {
    this.base = base;
    this.components = errorResponseComponents();
    const schemes = base.securitySchemes ?? {};
    if (Object.keys(schemes).length > 0)
      this.components['securitySchemes'] = { ...schemes } as unknown as JsonObject;
    for (const [section, all] of Object.entries(this.components)) {
      for (const name of Object.keys(all)) this.taken.set(`${section}/${name}`, known(''));
    }
  }

  *add(source: MergedSource): Steps<void> {
    const { document, components, operations } = yield* renamedSource(source, yield* this.takeNames(source));
    for (const [section, all] of Object.entries(components)) {
      const into = (this.components[section] ??= {});
      for (const [name, value] of Object.entries(all)) {
        if (!Object.hasOwn(into, name)) into[name] = value;
      }
    }
    const paths = document['paths'] as JsonObject;
    for (const operation of operations) {
      const found = (paths[operation.path] as JsonObject)[memberOfMethod(operation.method)] ?? {};
      this.addOperation(source, operation, found as JsonObject);
      yield;
    }
    for (const tag of listOf(document, 'tags')) {
      const name = isObject(tag) ? member(tag, 'name') : undefined;
      if (typeof name === 'string' && !this.tags.has(name)) this.tags.set(name, tag);
    }
    const webhooks = member(document, 'webhooks');
    for (const [name, webhook] of Object.entries(isObject(webhooks) ? webhooks : {})) {
      const as = Object.hasOwn(this.webhooks, name) ? `${source.name} ${name}` : name;
      this.webhooks[as] = webhook;
    }
  }

  *finish(sources: readonly MergedSource[]): Steps<Merged> {
    const document: JsonObject = {
      openapi: '3.1.0',
      info: this.info(sources),
      servers: (this.base.servers ?? [{ url: '/' }]) as unknown as Json,
      ...(this.tags.size > 0 ? { tags: this.orderedTags(sources.length) } : {}),
      paths: this.paths,
      ...(Object.keys(this.webhooks).length > 0 ? { webhooks: this.webhooks } : {}),
      components: this.components,
    };
    const operations: Operation[] = [];
    for (const entry of this.entries) {
      operations.push(operationOf(document, entry));
      yield;
    }
    return { document: document as unknown as OpenAPIV3_1.Document, operations, entries: this.entries };
  }

  /** The tags: of one source in its order, of several by name, since workers connect in any order. */
  private orderedTags(sources: number): Json[] {
    const names = [...this.tags.keys()];
    if (sources > 1) names.sort();
    return names.flatMap((name) => this.tags.get(name) ?? []);
  }

  /** Reserves the names of the source's components; returns the new names of renamed ones. */
  private *takeNames(source: MergedSource): Steps<Map<string, string>> {
    const renamed = new Map<string, string>();
    for (const [section, all] of Object.entries(source.contract.ingested.components)) {
      for (const name of Object.keys(all)) {
        const key = `${section}/${name}`;
        const fingerprint = (): Steps<string> => fingerprintOf(source, section, name);
        const other = this.taken.get(key);
        if (other === undefined) this.taken.set(key, fingerprint);
        else if ((yield* other()) !== (yield* fingerprint())) {
          const free = this.freeName(section, `${componentName(source.name)}.${name}`);
          renamed.set(key, free);
          this.taken.set(`${section}/${free}`, fingerprint);
        }
        yield;
      }
    }
    return renamed;
  }

  private freeName(section: string, wanted: string): string {
    let name = wanted;
    for (let count = 2; this.taken.has(`${section}/${name}`); count += 1) name = `${wanted}_${count}`;
    return name;
  }

  private addOperation(
    source: MergedSource,
    { path, shape, names, method }: IngestedOperation,
    found: JsonObject,
  ): void {
    const operation: JsonObject = { ...found };
    const served = this.shapes.get(shape) ?? { path, names };
    this.shapes.set(shape, served);
    if (served.path !== path)
      renamePathParameters(operation, names, served.names, (value) => this.follow(value));
    operation['responses'] = withErrorResponses(operation, (value) => this.follow(value));
    this.nameOperation(source, operation);
    const { name, available } = source;
    const item = (this.paths[served.path] ??= {}) as JsonObject;
    item[memberOfMethod(method)] = markAvailability(operation, available);
    this.entries.push({ path: served.path, method, source: name, available, operation });
  }

  /**
   * Makes `operationId` unique; if it is not set, uses the event name if suitable and not taken.
   */
  private nameOperation(source: MergedSource, operation: JsonObject): void {
    const declared = member(operation, 'operationId');
    const eventName = textOf(operation, 'x-event-name') ?? '';
    if (typeof declared !== 'string') {
      if (/^[A-Za-z0-9._~-]+$/.test(eventName) && !this.operationIds.has(eventName)) {
        operation['operationId'] = eventName;
        this.operationIds.add(eventName);
      }
      return;
    }
    let name = declared;
    for (let count = 1; this.operationIds.has(name); count += 1) {
      name = `${componentName(source.name)}_${declared}${count === 1 ? '' : `_${count}`}`;
    }
    this.operationIds.add(name);
    operation['operationId'] = name;
  }

  private follow(value: Json): Json | undefined {
    return resolve(this.components, value).value;
  }

  private info(sources: readonly MergedSource[]): JsonObject {
    const infos = sources.map(({ name, contract }) => ({
      name,
      info: member(contract.ingested.document, 'info'),
    }));
    const only = infos.length === 1 ? infos[0]?.info : undefined;
    const info: JsonObject = {
      title: 'API',
      version: '1.0.0',
      ...(infos.length > 1
        ? { description: infos.map(({ name, info }) => introduce(name, info)).join('\n') }
        : {}),
      ...(isObject(only) ? only : {}),
      ...(this.base.info as unknown as JsonObject | undefined),
    };
    return info;
  }
}

/** Wraps a fingerprint that is known already. */
function known(fingerprint: string): () => Steps<string> {
  return function* () {
    return fingerprint;
  };
}

function* fingerprintOf({ contract }: MergedSource, section: string, name: string): Steps<string> {
  yield* contract.fingerprints.ofComponents();
  return contract.fingerprints.component(section, name);
}

/** Returns one line about a source, for the description of a merged document. */
function introduce(name: string, info: Json | undefined): string {
  const title = isObject(info) ? member(info, 'title') : undefined;
  const version = isObject(info) ? member(info, 'version') : undefined;
  const text = typeof title === 'string' ? title : name;
  return `- ${text}${typeof version === 'string' ? ` ${version}` : ''}`;
}

/** Returns the source with its components renamed. */
function* renamedSource(
  { contract: { ingested }, renamed: memo }: MergedSource,
  renamed: ReadonlyMap<string, string>,
): Steps<Ingested> {
  if (renamed.size === 0) return ingested;
  const names = JSON.stringify([...renamed]);
  if (memo.ingested !== undefined && memo.names === names) return memo.ingested;
  const hooks = hooksFor(renamed);
  const components: Record<string, JsonObject> = {};
  for (const [section, all] of Object.entries(ingested.components)) {
    const entries: [string, Json][] = [];
    for (const [name, value] of Object.entries(all)) {
      const as = renamed.get(`${section}/${name}`) ?? name;
      entries.push([as, transform(kindOf(section), value, '', hooks)]);
      yield;
    }
    components[section] = Object.fromEntries(entries);
  }
  memo.ingested = {
    ...ingested,
    components,
    document: yield* transformDocument(ingested.document, hooks),
  };
  memo.names = names;
  return memo.ingested;
}

function hooksFor(renamed: ReadonlyMap<string, string>) {
  const reference = (ref: string): string => {
    const [section, name] = partsOfRef(ref);
    const as = renamed.get(`${section}/${name}`);
    return as === undefined ? ref : refTo(section, as);
  };
  return {
    reference: (_kind: Kind, ref: string): string => reference(ref),
    enter: (kind: Kind, object: JsonObject): JsonObject => {
      if (kind === 'operation') return renameSecurity(object, renamed);
      const discriminator = kind === 'schema' ? member(object, 'discriminator') : undefined;
      const mapping = isObject(discriminator) ? member(discriminator, 'mapping') : undefined;
      if (!isObject(discriminator) || !isObject(mapping)) return object;
      const entries = Object.entries(mapping).map(([value, ref]): [string, Json] => [
        value,
        typeof ref === 'string' ? reference(ref) : ref,
      ]);
      return { ...object, discriminator: { ...discriminator, mapping: Object.fromEntries(entries) } };
    },
  };
}

function renameSecurity(operation: JsonObject, renamed: ReadonlyMap<string, string>): JsonObject {
  if (member(operation, 'security') === undefined) return operation;
  const security = listOf(operation, 'security').map((requirement) =>
    Object.fromEntries(
      Object.entries(isObject(requirement) ? requirement : {}).map(([scheme, scopes]) => [
        renamed.get(`securitySchemes/${scheme}`) ?? scheme,
        scopes,
      ]),
    ),
  );
  return { ...operation, security };
}

/** Adopts the path parameter names of an operation that was added to this path earlier. */
function renamePathParameters(
  operation: JsonObject,
  names: readonly string[],
  served: readonly string[],
  follow: (value: Json) => Json | undefined,
): void {
  operation['parameters'] = listOf(operation, 'parameters').map((declared) => {
    const resolved = follow(declared);
    if (!isObject(resolved) || member(resolved, 'in') !== 'path') return declared;
    const name = textOf(resolved, 'name') ?? '';
    const as = served[names.indexOf(name)] ?? name;
    return as === name ? declared : { 'x-event-field': name, ...resolved, name: as };
  });
}

function listOf(object: JsonObject, name: string): readonly Json[] {
  const list = member(object, name);
  return Array.isArray(list) ? list : [];
}
