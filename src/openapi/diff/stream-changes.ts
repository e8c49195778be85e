/** Changes of the streamed replies of an operation. */
import type { Json } from '../../contract/json.ts';
import type { Operation, StreamBinding } from '../model/operation.ts';
import { itemsOf } from '../model/streams.ts';
import type { Report } from './change.ts';
import { type BothSides, responseChanges } from './schema-changes.ts';

/**
 * Reports how the items of streams changed. A media type that is new or missing is reported with the
 * responses.
 */
export function compareStreams(sides: BothSides, before: Operation, after: Operation, report: Report): void {
  if (before.resumable !== after.resumable) {
    const level = after.resumable ? 'info' : 'warning';
    const text = after.resumable ? 'continues when a worker is lost' : 'ends when a worker is lost';
    report(level, 'stream-resumable-changed', `the stream ${text}`);
  }
  for (const stream of before.streams) {
    const later = after.streams.find((one) => keyOf(one) === keyOf(stream));
    if (later === undefined) continue;
    const what = `an item of the response ${stream.status} (${stream.mediaType})`;
    responseChanges(sides, itemsOf(stream) as Json, itemsOf(later) as Json, what, report);
  }
}

function keyOf({ status, mediaType }: StreamBinding): string {
  return `${status} ${mediaType.toLowerCase()}`;
}
