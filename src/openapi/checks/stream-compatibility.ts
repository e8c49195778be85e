/** Decides whether the streams of two versions of an operation can be served at the same time. */
import type { Json, JsonObject } from '../../contract/json.ts';
import type { Operation, UploadLimits } from '../model/operation.ts';
import { itemsOf } from '../model/streams.ts';
import { rejectedValues } from './schema-compatibility.ts';

/** Limits of uploads by name, in the order in which they are reported. */
const LIMITS = ['bytes', 'files', 'fields'] as const;

/** Schemas of the components of both versions. */
export interface BothSchemas {
  readonly before: JsonObject;
  readonly after: JsonObject;
}

/** Returns why the later version cannot replace the earlier one; undefined if it can. */
export function streamIncompatibility(
  before: Operation,
  after: Operation,
  schemas: BothSchemas,
): string | undefined {
  // A stream of one version may continue on a worker of the other, which would start anew.
  if (before.resumable !== after.resumable) {
    return after.resumable ? 'its stream became resumable' : 'its stream is no longer resumable';
  }
  // Workers of one version cannot take the bodies of the other.
  if (before.streamsBody !== after.streamsBody && before.bodies.length > 0) {
    return after.streamsBody ? 'the body became a stream' : 'the body is no longer a stream';
  }
  const lowered = loweredLimits(before.uploadLimits, after.uploadLimits)[0];
  if (lowered !== undefined) return lowered;
  for (const { status, mediaType } of after.streams) {
    const wasWhole = before.replies.some((one) => one.status === status);
    const isWhole = after.replies.some((one) => one.status === status);
    if (wasWhole && !isWhole) return `the reply ${status} became a stream (${mediaType})`;
  }
  for (const stream of before.streams) {
    const { status, mediaType } = stream;
    const what = `the reply ${status} (${mediaType})`;
    const now = after.streams.find((one) => one.status === status && one.mediaType === mediaType);
    if (now === undefined) {
      const isWhole = after.replies.some((one) => one.status === status);
      return isWhole ? `the reply ${status} is no longer a stream (${mediaType})` : `${what} is missing`;
    }
    const old = { schema: itemsOf(stream) as Json, schemas: schemas.before };
    const later = { schema: itemsOf(now) as Json, schemas: schemas.after };
    const invalid = rejectedValues(old, later, { ignoresMembers: false });
    if (invalid !== undefined) return `an item of ${what}: ${invalid}`;
    const wider = rejectedValues(later, old, { ignoresMembers: true });
    if (wider !== undefined) return `an item of ${what} is wider: ${wider}`;
  }
  return undefined;
}

/** Returns each limit that is lower than before, or new. */
export function loweredLimits(before: UploadLimits, after: UploadLimits): string[] {
  return LIMITS.flatMap((name) => {
    const [old = Number.POSITIVE_INFINITY, now = Number.POSITIVE_INFINITY] = [before[name], after[name]];
    if (now >= old) return [];
    const from = Number.isFinite(old) ? ` from ${old}` : '';
    return [`the upload limit of ${name} is lowered${from} to ${now}`];
  });
}
