/**
 * Invalid messages from a client, with the reply to each, if any, and the cause under which it is
 * counted. The same for routers and servers.
 */

import type { OutcomeCode } from '../../src/core/messages/outcome.ts';
import type { DropCause } from '../../src/core/observability/diagnostics.ts';
import { PACKED_MAGIC } from '../../src/wire/packed-records.ts';
import type { Frame } from '../helpers/raw.ts';
import { nested } from '../interop/values.ts';

export interface BadInput {
  what: string;
  frames: Frame[];
  /** Outcome code of the reply; 'ok' if the request is served; undefined if there is none. */
  answer?: OutcomeCode | 'ok';
  /** Cause under which the message, or a part of it, is counted if it is dropped. */
  cause?: DropCause;
}

const many = (count: number, frame: Frame): Frame[] => Array.from({ length: count }, () => frame);
/** Returns a packed message with these bytes after the magic bytes. */
export const packed = (...bytes: number[]): Buffer => Buffer.concat([PACKED_MAGIC, Buffer.from(bytes)]);

/**
 * A packed reply with status 200 to slot 0, generation 0, and a packed cancellation of the same
 * (src/wire/packed.ts).
 */
export const PACKED_REPLY: Buffer = packed(2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0);
export const PACKED_CANCEL: Buffer = packed(3, 0, 0, 0, 0, 0, 0, 0, 0, 0);

/** Bytes that are not valid UTF-8. */
export const NO_UTF8: Buffer = Buffer.from([0x65, 0xff, 0xfe, 0xc3]);

export const BAD_REQUESTS: readonly BadInput[] = [
  { what: 'one empty frame', frames: [''] },
  { what: 'two empty frames', frames: ['', ''], answer: 'MALFORMED_MESSAGE', cause: 'too-few-frames' },
  { what: 'three empty frames', frames: ['', '', ''], answer: 'MALFORMED_MESSAGE', cause: 'bad-event-name' },
  { what: 'a name without data', frames: ['', 'echo'], answer: 'MALFORMED_MESSAGE', cause: 'too-few-frames' },
  { what: 'a name without a delimiter or data', frames: ['echo'], cause: 'too-few-frames' },
  { what: 'an empty name', frames: ['', '', '{}'], answer: 'MALFORMED_MESSAGE', cause: 'bad-event-name' },
  {
    what: 'a name that is not UTF-8',
    frames: ['', NO_UTF8, '{}'],
    answer: 'MALFORMED_MESSAGE',
    cause: 'bad-event-name',
  },
  { what: 'a name that is not UTF-8, without a delimiter', frames: [NO_UTF8, '{}'], cause: 'bad-event-name' },
  {
    what: 'a name of 64 KiB',
    frames: ['', 'n'.repeat(65_536), '{}'],
    answer: 'MALFORMED_MESSAGE',
    cause: 'bad-event-name',
  },
  { what: '10,000 frames without a delimiter', frames: many(10_000, 'x'), cause: 'too-many-frames' },
  {
    what: '10,000 empty frames',
    frames: many(10_000, ''),
    answer: 'MALFORMED_MESSAGE',
    cause: 'bad-event-name',
  },
  {
    what: '10,000 frames after the data',
    frames: ['', 'echo', '{}', ...many(9_997, 'x')],
    answer: 'ok',
    cause: 'bad-metadata',
  },
  {
    what: 'a delimiter after 10,000 frames',
    frames: [...many(10_000, 'x'), '', 'echo', '{}'],
    cause: 'too-many-frames',
  },
  { what: 'broken JSON', frames: ['', 'echo', '{"broken": '], answer: 'MALFORMED_MESSAGE' },
  {
    what: 'data that is not JSON',
    frames: ['', 'echo', Buffer.from([0, 1, 2, 255])],
    answer: 'MALFORMED_MESSAGE',
  },
  { what: 'empty data', frames: ['', 'echo', ''], answer: 'MALFORMED_MESSAGE' },
  { what: 'JSON of 1,000 levels', frames: ['', 'echo', nested(1000)], answer: 'ok' },
  {
    what: 'metadata that is not JSON',
    frames: ['', 'echo', '{}', '{"v":1'],
    answer: 'ok',
    cause: 'bad-metadata',
  },
  {
    what: 'metadata of wrong types',
    frames: ['', 'echo', '{}', '{"ttl":"soon","idem":3,"id":[]}'],
    answer: 'ok',
    cause: 'bad-metadata',
  },
  {
    what: 'metadata of 1 MiB',
    frames: ['', 'echo', '{}', JSON.stringify({ v: 1, ext: { traceparent: 'x'.repeat(1_048_576) } })],
    answer: 'ok',
    cause: 'bad-metadata',
  },
  { what: 'a packed message of garbage', frames: [packed(9, 9, 9, 9)], cause: 'bad-batch' },
  { what: 'a truncated packed request', frames: [packed(1, 0, 1, 0, 0, 0)], cause: 'bad-batch' },
  { what: 'a packed reply from a client', frames: [PACKED_REPLY], cause: 'foreign-reply' },
  { what: 'a packed cancellation of an unknown request', frames: [PACKED_CANCEL] },
  { what: 'a packed message with an extra frame', frames: [packed(), 'left over'], cause: 'bad-batch' },
];
