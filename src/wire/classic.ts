/**
 * The classic codec: one request or reply a ZeroMQ message, in the frames of the Python original
 * (docs/protocol/index.md), with our optional metadata frame at the end. Pure functions of buffers.
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
  isMeantAsMetadata,
} from './metadata.ts';
import { readPlainFailure } from './plain-failure.ts';

/** The frames of one classic message, taken apart. */
export interface ClassicFrames {
  /** Frames before the delimiter; handed back untouched with the reply. */
  readonly envelope: Buffer[];
  /** Whether there was an empty delimiter frame; the reply has one when the request had. */
  readonly delimited: boolean;
  readonly eventName: string;
  readonly body: Buffer;
  /** The trailing metadata frame, if any. */
  readonly metadata: Buffer | undefined;
}

/** Why frames are no classic message: what travels as text of the malformed answer, and counts by cause. */
export type MalformedCause = 'too-few-frames' | 'too-many-frames' | 'bad-event-name';

/** A message that could not be read, with what is known of where an answer could go. */
export class MalformedFrames {
  readonly cause: MalformedCause;
  /** Frames before the delimiter, or undefined when no delimiter was found. */
  readonly envelope: Buffer[] | undefined;

  constructor(cause: MalformedCause, envelope?: Buffer[]) {
    this.cause = cause;
    this.envelope = envelope;
  }

  /** One sentence for the sender. */
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

/** Takes a classic message apart, starting at frame `from` (1 behind the identity on a ROUTER). */
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

/** The event name in a frame; undefined when it is empty, too long or no UTF-8. */
export function readEventName(frame: Buffer): string | undefined {
  if (frame.length === 0 || frame.length > MAX_EVENT_NAME || !isUtf8(frame)) return undefined;
  return frame.toString();
}

/** What became of the metadata frame. */
export interface MetadataVerdict {
  /** There was one, and it could be read: the sender is one of ours. */
  readonly ours: boolean;
  /** There was one that could not be read: it is as if absent. */
  readonly broken: boolean;
  /** The sender understands packed messages. */
  readonly packs: boolean;
}

/** A request out of classic frames. */
export function toRequest(frames: ClassicFrames): MetadataVerdict & { message: RequestMessage } {
  const metadata = frames.metadata === undefined ? undefined : decodeRequestMetadata(frames.metadata);
  return {
    ...verdict(frames, metadata),
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

/** A reply, and what is wrong with the frames that it came in. */
export interface ReplyVerdict extends MetadataVerdict {
  readonly message: ReplyMessage;
  /** The event data is not JSON, as Python writes NaN: the message is a BAD_REPLY. */
  readonly badJson: boolean;
}

/**
 * A reply out of classic frames. One without metadata is a success, unless its event data is a failure or not JSON.
 * Nodes of this project write JSON; theirs is not checked.
 */
export function toReply(frames: ClassicFrames): ReplyVerdict {
  const { metadata: frame, body } = frames;
  const metadata = frame === undefined ? undefined : decodeReplyMetadata(frame);
  if (metadata === undefined) {
    const badJson = !isJson(body);
    const message = badJson
      ? failure('BAD_REPLY', 'the reply of the classic node is not JSON')
      : plainReply(frame, body);
    return { ...verdict(frames, undefined), message, badJson };
  }
  const { status, code, dispatched, more, contentType, extras } = metadata;
  return {
    ...verdict(frames, metadata),
    message: { status, code, dispatched, more, contentType, extras, body },
    badJson: false,
  };
}

/** A reply without readable metadata. A frame that was meant to be metadata may have said that the request failed. */
function plainReply(frame: Buffer | undefined, body: Buffer): ReplyMessage {
  if (frame !== undefined && isMeantAsMetadata(frame)) {
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

/** Frames of a request behind the envelope and delimiter: name, body, metadata. */
export function requestFrames(message: RequestMessage, packs: boolean): Buffer[] {
  return [Buffer.from(message.eventName), message.body, encodeRequestMetadata(message, packs)];
}

/**
 * Metadata of a reply: `none` for a classic peer, where only failures have some; `plain` for a node of this project behind
 * a router that only passes frames on; `packs` for one that may send packed messages from now on.
 */
export type ReplyMetadataKind = 'none' | 'plain' | 'packs';

/** Frames of a reply behind the envelope and delimiter. */
export function replyFrames(eventName: string, message: ReplyMessage, metadata: ReplyMetadataKind): Buffer[] {
  const name = Buffer.from(eventName);
  if (metadata === 'none') return [name, plainBody(message), ...failureMetadata(message)];
  return [name, message.body, encodeReplyMetadata(message, metadata === 'packs')];
}

/**
 * Metadata of a failure for a peer that reads none. Classic peers ignore the frame; behind a router that passes frames on
 * there may be a node that would take the reply for a success without it.
 */
function failureMetadata(message: ReplyMessage): Buffer[] {
  if (message.code === '' && message.status < 400) return [];
  return [encodeReplyMetadata({ ...message, contentType: '', extras: NO_BYTES }, false)];
}

/** The body as a classic peer can read it, which takes every body for JSON: text as a string, other bytes in base64. */
function plainBody({ body, contentType }: ReplyMessage): Buffer {
  if (isJsonType(contentType)) return body;
  return Buffer.from(JSON.stringify(body.toString(isUtf8(body) ? 'utf8' : 'base64')));
}

function verdict(frames: ClassicFrames, metadata: { readonly packs: boolean } | undefined): MetadataVerdict {
  return {
    ours: metadata !== undefined,
    broken: metadata === undefined && frames.metadata !== undefined,
    packs: metadata?.packs ?? false,
  };
}

/** Index of the first empty frame; -1 when there is none, -2 when it comes too late. */
function findDelimiter(frames: readonly Buffer[], from: number): number {
  const last = Math.min(frames.length, from + MAX_ENVELOPE + 1);
  for (let index = from; index < last; index++) {
    if (frames[index]?.length === 0) return index;
  }
  return frames.length > from + MAX_ENVELOPE + 3 ? -2 : -1;
}
