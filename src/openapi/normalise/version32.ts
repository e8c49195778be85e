/**
 * What OpenAPI 3.2 adds to documents. The served document is OpenAPI 3.1, so that every tool can
 * read it. A member without a meaning there gets the prefix `x-`, as `x-item-schema` does; the
 * document in version 3.2 (`asVersion32`) has its name again.
 *
 * | new in 3.2 | here |
 * |---|---|
 * | `itemSchema` of a media type | `x-item-schema` |
 * | `components.mediaTypes` | replaced by their content |
 * | `query`, `additionalOperations` of a path item | `x-operation-query`, `x-operation-copy`. Methods that Node.js does not receive are skipped with a warning |
 * | parameter in `querystring` | if it is a form: a query parameter with all names |
 * | style `cookie` | the style `form`, which cookies have in 3.1 |
 * | `prefixEncoding`, `itemEncoding`, nested `encoding` | left out: they describe multipart bodies without names, which are not read |
 * | `dataValue`, `serializedValue` of an example | `value`, `x-serialized-value` |
 * | `summary` of a response, `summary`, `parent` and `kind` of a tag | `x-summary`, `x-parent`, `x-kind` |
 * | `$self` | the identifier of the document in references |
 * | `name` of a server, device flow, `defaultMapping`, `nodeType` | unchanged: annotations |
 */
import { ContractError } from '../../contract/errors.ts';
import { isObject, type Json, type JsonObject, member, textOf } from '../../contract/json.ts';
import { type Kind, transform } from '../../contract/shapes.ts';
import { componentAt } from '../model/component-reference.ts';
import { renameLater } from '../model/later-names.ts';

const CHANGES: Readonly<Partial<Record<Kind, (object: JsonObject) => JsonObject>>> = {
  document: withTags,
  parameter: fromQuerystring,
  mediaType: (object) => without(object, ['prefixEncoding', 'itemEncoding']),
  encoding: (object) => without(object, ['encoding', 'prefixEncoding', 'itemEncoding']),
  example: (object) => {
    if (Object.hasOwn(object, 'dataValue')) object['value'] ??= object['dataValue'] ?? null;
    return renameLater('example', without(object, ['dataValue']));
  },
  response: (object) => {
    if (Object.hasOwn(object, '$ref')) return object;
    // Required before 3.2.
    object['description'] ??= textOf(object, 'summary') ?? '';
    return renameLater('response', object);
  },
};

/** Changes an object of a document in version 3.2 before its fields are processed. */
export function fromVersion32(kind: Kind, object: JsonObject): JsonObject {
  return CHANGES[kind]?.(object) ?? object;
}

function without(object: JsonObject, names: readonly string[]): JsonObject {
  for (const name of names) delete object[name];
  return object;
}

/** Replaces each reference to a media type by its content, because 3.1 has no such references. */
export function inlineMediaTypes(document: JsonObject, components: Record<string, JsonObject>): JsonObject {
  const { mediaTypes } = components;
  if (mediaTypes === undefined) return document;
  delete components['mediaTypes'];
  const all = { mediaTypes };
  const enter = (kind: Kind, object: JsonObject): JsonObject => {
    const ref = kind === 'mediaType' ? textOf(object, '$ref') : undefined;
    if (ref === undefined) return object;
    const target = referred(all, ref);
    if (target === undefined) throw new ContractError(`the media type ${ref} does not exist`);
    return { ...target };
  };
  for (const [section, ones] of Object.entries(components)) {
    const copied = transform('components', { [section]: ones }, '', { enter }) as JsonObject;
    components[section] = copied[section] as JsonObject;
  }
  return transform('document', document, '', { enter }) as JsonObject;
}

/** Follows references from one media type to another. */
function referred(components: { mediaTypes: JsonObject }, ref: string): JsonObject | undefined {
  let target: Json | undefined = componentAt(components, ref);
  // Cycles are reported by `checkReferences`.
  for (let hops = 0; isObject(target) && typeof target['$ref'] === 'string'; hops += 1) {
    if (hops > 100) return undefined;
    target = componentAt(components, target['$ref']);
  }
  return isObject(target) ? target : undefined;
}

/**
 * A query string that is a form (3.2, 4.12.2.1) has the same names as a query parameter that is an
 * object with the style `form`.
 */
function fromQuerystring(parameter: JsonObject): JsonObject {
  if (parameter['in'] === 'cookie' && parameter['style'] === 'cookie') {
    const { style: _style, ...others } = parameter;
    return others;
  }
  if (parameter['in'] !== 'querystring') return parameter;
  const { content, ...others } = parameter;
  const [entry, ...more] = Object.entries(isObject(content) ? content : {});
  const media = entry?.[1];
  if (
    more.length > 0 ||
    !isObject(media) ||
    !/^application\/x-www-form-urlencoded\s*(;|$)/i.test(entry?.[0] ?? '')
  ) {
    throw new ContractError(
      `the parameter ${textOf(parameter, 'name') ?? ''} in querystring must have the content application/x-www-form-urlencoded`,
    );
  }
  return { ...others, in: 'query', style: 'form', explode: true, schema: member(media, 'schema') ?? {} };
}

function withTags(document: JsonObject): JsonObject {
  const tags = member(document, 'tags');
  if (!Array.isArray(tags)) return document;
  return { ...document, tags: tags.map((tag) => (isObject(tag) ? renameLater('tag', { ...tag }) : tag)) };
}
