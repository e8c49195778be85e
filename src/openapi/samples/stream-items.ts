/** Samples of streams: some items, as the body of a reply. */
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { stringifyExact } from '../../core/json/exact-json.ts';
import type { StreamBinding } from '../model/operation.ts';
import type { Extent } from './maker.ts';
import type { SampleOptions, Samples } from './samples.ts';

/** Number of items of a sample. */
const ITEMS = 3;

/**
 * Returns items of a stream that conform to its schema; undefined if none were found, or if the
 * document has no schema for them.
 *
 * @param label distinguishes samples of the same stream.
 */
export function streamSample(
  samples: Samples,
  { itemPointer, dataPointer }: StreamBinding,
  extent: Extent,
  label: string | number,
  options: SampleOptions = {},
): Json[] | undefined {
  const pointer = dataPointer ?? itemPointer;
  if (pointer === undefined) return undefined;
  const items: Json[] = [];
  for (let index = 0; index < ITEMS; index += 1) {
    const item = samples.valid(pointer, extent, `${label} ${index}`, { direction: 'response', ...options });
    if (item !== undefined) items.push(item);
  }
  return items.length === 0 ? undefined : items;
}

/** Writes the items of a stream in its format. */
export function encodeItems(
  { format, dataPointer }: Pick<StreamBinding, 'format' | 'dataPointer'>,
  items: readonly Json[],
): Buffer {
  const isWholeEvent = format === 'events' && dataPointer === undefined;
  const texts = items.map((item) => {
    if (isWholeEvent && isObject(item)) return eventText(item);
    const text = typeof item === 'string' && format === 'events' ? item : stringifyExact(item);
    if (format === 'events') return `${field('data', text)}\n`;
    return format === 'sequence' ? `\u001e${text}\n` : `${text}\n`;
  });
  return Buffer.from(texts.join(''));
}

/** Writes the fields of a server-sent event (WHATWG HTML, 9.2.6). */
function eventText(event: JsonObject): string {
  const fields = ['event', 'id', 'retry', 'data'].flatMap((name) => {
    const value = member(event, name);
    if (value === undefined) return [];
    return [field(name, typeof value === 'string' ? value : stringifyExact(value))];
  });
  return `${fields.join('')}\n`;
}

function field(name: string, text: string): string {
  const lines = text.split(/\r\n|\r|\n/);
  // Only data can have several lines.
  const written = name === 'data' ? lines : [lines.join(' ')];
  return written.map((line) => `${name}: ${line}\n`).join('');
}
