/**
 * wire: the formats of all messages, as pure functions of buffers. The classic and the packed
 * codec, metadata, tokens and control messages.
 */

/**
 * The classic codec: one request or reply per ZeroMQ message, in the frames of the Python original
 * (docs/protocol/index.md), with the optional metadata frame of this framework at the end.
 */
import { isUtf8 } from 'node:buffer';
import { failure, NO_BYTES, type ReplyMessage, type RequestMessage } from '../core/messages/message.ts';
import { isJson } from './json-check.ts';
import { MAX_ENVELOPE, MAX_EVENT_NAME } from './limits.ts';
import {
  decodeReplyMetadata,
  decodeRequestMetadata,
  encodeReplyMetadata,
  encodeRequestMetadata,
  isJsonType,
  looksLikeMetadata,
} from './metadata.ts';
import { readPlainFailure } from './plain-failure.ts';

/** The parts of a classic message. */
export interface ClassicFrames {
  /** Frames before the delimiter; they return unchanged with the reply. */
  readonly envelope: Buffer[];
  /** Whether there was an empty delimiter frame; a reply has one if its request had one. */
  readonly delimited: boolean;
  readonly eventName: string;
  readonly body: Buffer;
  /** The trailing metadata frame, if any. */
  readonly metadata: Buffer | undefined;
}

/**
 * Why frames are not a classic message. It selects the text of the error reply and labels the
 * counter.
 */
export type MalformedCause = 'too-few-frames' | 'too-many-frames' | 'bad-event-name';

/** A message that could not be parsed, with the address for an error reply if it is known. */
export class MalformedFrames {
  readonly cause: MalformedCause;
  /** Frames before the delimiter; undefined if no delimiter was found. */
  readonly envelope: Buffer[] | undefined;

  constructor(cause: MalformedCause, envelope?: Buffer[]) {
    this.cause = cause;
    this.envelope = envelope;
  }

  /** Explanation for the sender. */
  get message(): string {
    switch (this.cause) {
      case 'too-few-frames':
        return 'a message has an event name frame and an event data frame';
      case 'too-many-frames':
        return `at most ${MAX_ENVELOPE} frames may come before the delimiter`;
      case 'bad-event-name':
        return `the event name must be 1 to ${MAX_EVENT_NAME} bytes of UTF-8`;
    }
  }
}

/**
 * Parses a classic message that starts at frame `from` (on a ROUTER socket 1, after the identity).
 */
export function readClassic(frames: readonly Buffer[], from: number): ClassicFrames | MalformedFrames {
  const delimiter = findDelimiter(frames, from);
  if (delimiter === -2) return new MalformedFrames('too-many-frames');
  const envelope = delimiter < 0 ? [] : frames.slice(from, delimiter);
  const first = delimiter < 0 ? from : delimiter + 1;
  const nameFrame = frames[first];
  const body = frames[first + 1];
  if (nameFrame === undefined || body === undefined) {
    return new MalformedFrames('too-few-frames', delimiter < 0 ? undefined : envelope);
  }
  const eventName = readEventName(nameFrame);
  if (eventName === undefined) {
    return new MalformedFrames('bad-event-name', delimiter < 0 ? undefined : envelope);
  }
  return { envelope, delimited: delimiter >= 0, eventName, body, metadata: frames[first + 2] };
}

/** The event name in a frame; undefined if it is empty, too long or not UTF-8. */
export function readEventName(frame: Buffer): string | undefined {
  if (frame.length === 0 || frame.length > MAX_EVENT_NAME || !isUtf8(frame)) return undefined;
  return frame.toString();
}

/** Result of reading the metadata frame. */
export interface MetadataResult {
  /** A metadata frame was read, so the sender is a node of this framework. */
  readonly native: boolean;
  /** A metadata frame could not be read; it is ignored. */
  readonly broken: boolean;
  /** Whether the sender understands packed messages. */
  readonly packs: boolean;
  /** Whether the sender understands streams in packed messages. */
  readonly streams: boolean;
}

/** Converts classic frames to a request. */
export function toRequest(frames: ClassicFrames): MetadataResult & { message: RequestMessage } {
  const metadata = frames.metadata === undefined ? undefined : decodeRequestMetadata(frames.metadata);
  return {
    ...metadataResult(frames, metadata),
    message: {
      eventName: frames.eventName,
      body: frames.body,
      timeLeft: metadata?.timeLeft ?? 0,
      idempotent: metadata?.idempotent ?? false,
      requestId: metadata?.requestId ?? '',
      extras: metadata?.extras ?? NO_BYTES,
    },
  };
}

/** A reply, and problems of its frames. */
export interface ReplyResult extends MetadataResult {
  readonly message: ReplyMessage;
  /**
   * Whether the event data is not JSON (Python writes NaN, for example); the message is then a
   * BAD_REPLY.
   */
  readonly badJson: boolean;
}

/**
 * Converts classic frames to a reply. A reply without metadata is a success unless its event data
 * is a failure or not JSON. Nodes of this framework write valid JSON, so theirs is not checked.
 */
export function toReply(frames: ClassicFrames): ReplyResult {
  const { metadata: frame, body } = frames;
  const metadata = frame === undefined ? undefined : decodeReplyMetadata(frame);
  if (metadata === undefined) {
    const badJson = !isJson(body);
    const message = badJson
      ? failure('BAD_REPLY', 'the reply of the classic node is not JSON')
      : plainReply(frame, body);
    return { ...metadataResult(frames, undefined), message, badJson };
  }
  const { status, code, dispatched, more, contentType, extras } = metadata;
  return {
    ...metadataResult(frames, metadata),
    message: { status, code, dispatched, more, contentType, extras, body },
    badJson: false,
  };
}

/** A reply without readable metadata. A broken metadata frame may have reported a failure. */
function plainReply(frame: Buffer | undefined, body: Buffer): ReplyMessage {
  if (frame !== undefined && looksLikeMetadata(frame)) {
    return failure('BAD_REPLY', 'the metadata of the reply cannot be read');
  }
  return (
    readPlainFailure(body) ?? {
      status: 200,
      code: '',
      dispatched: true,
      more: false,
      contentType: '',
      extras: NO_BYTES,
      body,
    }
  );
}

/** Frames of a request after the envelope and delimiter: name, body, metadata. */
export function requestFrames(message: RequestMessage, packs: boolean): Buffer[] {
  return [Buffer.from(message.eventName), message.body, encodeRequestMetadata(message, packs)];
}

/**
 * Kind of metadata in a reply: `none` for a classic peer, which gets metadata only with failures;
 * `plain` for a node of this framework behind a classic router; `packs` for one that may send
 * packed messages from now on.
 */
export type ReplyMetadataKind = 'none' | 'plain' | 'packs';

/** Frames of a reply after the envelope and delimiter. */
export function replyFrames(eventName: string, message: ReplyMessage, metadata: ReplyMetadataKind): Buffer[] {
  const name = Buffer.from(eventName);
  if (metadata === 'none') return [name, plainBody(message), ...failureMetadata(message)];
  return [name, message.body, encodeReplyMetadata(message, metadata === 'packs')];
}

/**
 * Metadata of a failure for a classic peer, which ignores the frame. Behind a classic router there
 * may be a node of this framework, which would otherwise read the failure as a success.
 */
function failureMetadata(message: ReplyMessage): Buffer[] {
  if (message.code === '' && message.status < 400) return [];
  return [encodeReplyMetadata({ ...message, contentType: '', extras: NO_BYTES }, false)];
}

/**
 * The body for a classic peer, which parses every body as JSON: text as a string, other bytes in
 * base64.
 */
function plainBody({ body, contentType }: ReplyMessage): Buffer {
  if (isJsonType(contentType)) return body;
  return Buffer.from(JSON.stringify(body.toString(isUtf8(body) ? 'utf8' : 'base64')));
}

function metadataResult(
  frames: ClassicFrames,
  metadata: Pick<MetadataResult, 'packs' | 'streams'> | undefined,
): MetadataResult {
  return {
    native: metadata !== undefined,
    broken: metadata === undefined && frames.metadata !== undefined,
    packs: metadata?.packs ?? false,
    streams: metadata?.streams ?? false,
  };
}

/** Index of the first empty frame; -1 if there is none, -2 if it is too far back. */
function findDelimiter(frames: readonly Buffer[], from: number): number {
  const last = Math.min(frames.length, from + MAX_ENVELOPE + 1);
  for (let index = from; index < last; index++) {
    if (frames[index]?.length === 0) return index;
  }
  return frames.length > from + MAX_ENVELOPE + 3 ? -2 : -1;
}
