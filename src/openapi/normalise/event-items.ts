/** Item schemas of server-sent events. */
import { isObject, type JsonObject, member } from '../../contract/json.ts';
import { eventSchema, isTextSchema, sequentialFormat } from '../../contract/stream-types.ts';
import { Outlines } from '../model/body.ts';
import { resolve } from '../model/component-reference.ts';
import { ITEM_SCHEMA } from '../model/streams.ts';
import type { Normalised } from './normalise.ts';

/**
 * Makes each item schema of server-sent events describe the event. OpenAPI 3.2 (4.14.4) describes
 * the event, whose `data` is a text; many documents give the schema of the data instead. A schema
 * that mentions `data` is that of an event.
 *
 * @param effort maximum number of names to visit, which limits the cost of malicious schemas.
 */
export function describeEvents({ document, components }: Normalised, effort: number): void {
  let outlines: Outlines | undefined;
  for (const response of responsesIn(document, components)) {
    const content = member(response, 'content');
    for (const [mediaType, media] of Object.entries(isObject(content) ? content : {})) {
      const item = isObject(media) ? member(media, ITEM_SCHEMA) : undefined;
      if (item === undefined || !isObject(media) || sequentialFormat(mediaType) !== 'events') continue;
      outlines ??= new Outlines(components['schemas'] ?? {}, effort);
      if (outlines.of(item).names.has('data')) continue;
      media[ITEM_SCHEMA] = eventSchema(item, isTextSchema(resolve(components, item).value));
    }
  }
}

function* responsesIn(document: JsonObject, components: Normalised['components']): Iterable<JsonObject> {
  yield* objectsIn(components['responses']);
  for (const item of [...objectsIn(member(document, 'paths')), ...objectsIn(components['pathItems'])]) {
    for (const operation of objectsIn(item)) yield* objectsIn(member(operation, 'responses'));
  }
}

function objectsIn(value: unknown): JsonObject[] {
  return isObject(value) ? Object.values(value).filter(isObject) : [];
}
