/**
 * Messages that a client should not send, and what has to come of each: an answer with a code or none, and the cause
 * it is counted under. For router and server alike.
 */

import type { OutcomeCode } from '../../src/core/messages/outcome.ts';
import type { DropCause } from '../../src/core/observability/diagnostics.ts';
import { PACKED_MAGIC } from '../../src/wire/packed.ts';
import type { Frame } from '../helpers/raw.ts';
import { nested } from '../interop/values.ts';

export interface BadInput {
  what: string;
  frames: Frame[];
  /** Code of the answer; 'ok' where it is served all the same; undefined where there is none. */
  answer?: OutcomeCode | 'ok';
  /** What it is counted under, where it is dropped or a part of it is. */
  cause?: DropCause;
}

const many = (count: number, frame: Frame): Frame[] => Array.from({ length: count }, () => frame);
/** A packed message of these bytes behind the magic. */
export const packed = (...bytes: number[]): Buffer => Buffer.concat([PACKED_MAGIC, Buffer.from(bytes)]);

/** A packed reply of status 200 to slot 0, generation 0, and a packed cancel of the same (src/wire/packed.ts). */
export const PACKED_REPLY: Buffer = packed(2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0);
export const PACKED_CANCEL: Buffer = packed(3, 0, 0, 0, 0, 0, 0, 0, 0, 0);

/** Bytes that are no UTF-8. */
export const NO_UTF8: Buffer = Buffer.from([0x65, 0xff, 0xfe, 0xc3]);

export const BAD_REQUESTS: readonly BadInput[] = [
  { what: 'one empty frame', frames: [''] },
  { what: 'two empty frames', frames: ['', ''], answer: 'MALFORMED_MESSAGE', cause: 'too-few-frames' },
  { what: 'three empty frames', frames: ['', '', ''], answer: 'MALFORMED_MESSAGE', cause: 'bad-event-name' },
  { what: 'a name without data', frames: ['', 'echo'], answer: 'MALFORMED_MESSAGE', cause: 'too-few-frames' },
  { what: 'a name without delimiter or data', frames: ['echo'], cause: 'too-few-frames' },
  { what: 'an empty name', frames: ['', '', '{}'], answer: 'MALFORMED_MESSAGE', cause: 'bad-event-name' },
  {
    what: 'a name that is no UTF-8',
    frames: ['', NO_UTF8, '{}'],
    answer: 'MALFORMED_MESSAGE',
    cause: 'bad-event-name',
  },
  { what: 'a name that is no UTF-8, without delimiter', frames: [NO_UTF8, '{}'], cause: 'bad-event-name' },
  {
    what: 'a name of 64 KiB',
    frames: ['', 'n'.repeat(65_536), '{}'],
    answer: 'MALFORMED_MESSAGE',
    cause: 'bad-event-name',
  },
  { what: '10,000 frames without delimiter', frames: many(10_000, 'x'), cause: 'too-many-frames' },
  {
    what: '10,000 empty frames',
    frames: many(10_000, ''),
    answer: 'MALFORMED_MESSAGE',
    cause: 'bad-event-name',
  },
  {
    what: '10,000 frames behind the data',
    frames: ['', 'echo', '{}', ...many(9_997, 'x')],
    answer: 'ok',
    cause: 'bad-metadata',
  },
  {
    what: 'a delimiter behind 10,000 frames',
    frames: [...many(10_000, 'x'), '', 'echo', '{}'],
    cause: 'too-many-frames',
  },
  { what: 'broken JSON', frames: ['', 'echo', '{"broken": '], answer: 'MALFORMED_MESSAGE' },
  { what: 'no JSON at all', frames: ['', 'echo', Buffer.from([0, 1, 2, 255])], answer: 'MALFORMED_MESSAGE' },
  { what: 'empty data', frames: ['', 'echo', ''], answer: 'MALFORMED_MESSAGE' },
  { what: 'JSON of 1,000 levels', frames: ['', 'echo', nested(1000)], answer: 'ok' },
  {
    what: 'metadata that is no JSON',
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
  { what: 'a packed request cut short', frames: [packed(1, 0, 1, 0, 0, 0)], cause: 'bad-batch' },
  { what: 'a packed reply of a client', frames: [PACKED_REPLY], cause: 'foreign-reply' },
  { what: 'a packed cancel of nothing', frames: [PACKED_CANCEL] },
  { what: 'a packed message with a frame too many', frames: [packed(), 'left over'], cause: 'bad-batch' },
];
