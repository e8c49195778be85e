/** Metrics of the streams of gateways. */
import { isOutcomeCode } from '../core/messages/outcome.ts';
import { family, type Sample } from './family.ts';
import { OTHER } from './labels.ts';

/** The streams of a gateway, as the metrics see them. */
export interface StreamsView {
  readonly inFlight: number;
  readonly replyChunks: number;
  readonly replyBytes: number;
  readonly replyStalls: number;
  readonly requestChunks: number;
  readonly requestBytes: number;
  readonly requestStalls: number;
  readonly resumed: number;
  /** Streams that have ended, by outcome code. */
  readonly ended: ReadonlyMap<string, number>;
}

/** Codes of gateways with a label of their own, besides the outcome codes. */
const CODES: ReadonlySet<string> = new Set([
  'OK',
  'INTERNAL_ERROR',
  'PAYLOAD_TOO_LARGE',
  'REQUEST_TIMEOUT',
  'UNSUPPORTED_MEDIA_TYPE',
]);

/** The metrics of the streams of gateways. */
export function streamFamilies(gateways: ReadonlySet<{ readonly streams: StreamsView }>) {
  const sum = (of: (streams: StreamsView) => number): number => {
    let total = 0;
    for (const { streams } of gateways) total += of(streams);
    return total;
  };
  const single = (of: (streams: StreamsView) => number) => (): Sample[] =>
    gateways.size === 0 ? [] : [[{}, sum(of)]];
  const both = (reply: (streams: StreamsView) => number, request: (streams: StreamsView) => number) => () =>
    gateways.size === 0
      ? []
      : ([
          [{ direction: 'reply' }, sum(reply)],
          [{ direction: 'request' }, sum(request)],
        ] satisfies Sample[]);
  return [
    family('streams_total', () => endedOf(gateways)),
    family(
      'streams_resumed_total',
      single(({ resumed }) => resumed),
    ),
    family(
      'stream_chunks_total',
      both(
        ({ replyChunks }) => replyChunks,
        ({ requestChunks }) => requestChunks,
      ),
    ),
    family(
      'stream_bytes_total',
      both(
        ({ replyBytes }) => replyBytes,
        ({ requestBytes }) => requestBytes,
      ),
    ),
    family(
      'stream_stalls_total',
      both(
        ({ replyStalls }) => replyStalls,
        ({ requestStalls }) => requestStalls,
      ),
    ),
  ];
}

/** Ended streams by outcome code. Codes of workers share a label, since workers can invent them. */
function* endedOf(gateways: ReadonlySet<{ readonly streams: StreamsView }>): IterableIterator<Sample> {
  const counts = new Map<string, number>();
  for (const { streams } of gateways) {
    for (const [given, count] of streams.ended) {
      const code = isOutcomeCode(given) || CODES.has(given) ? given : OTHER;
      counts.set(code, (counts.get(code) ?? 0) + count);
    }
  }
  for (const [code, count] of counts) yield [{ code }, count];
}
