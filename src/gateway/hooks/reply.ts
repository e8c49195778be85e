/** The reply that `onReply` sees, and answers of hooks. */
import { NO_BYTES, type ReplyExtras, type ReplyMessage } from '../../core/messages/message.ts';
import type { HookAnswer, HookReply } from '../common/hook-types.ts';
import { bytesOf, HookData } from './data.ts';

type Headers = Readonly<Record<string, string | readonly string[]>>;

export class ReplyOfHooks implements HookReply {
  status: number;
  headers: Record<string, string | readonly string[]>;
  private readonly content: HookData;
  private readonly extras: ReplyExtras;

  constructor(
    private readonly reply: ReplyMessage,
    readonly fromWorker: boolean,
  ) {
    this.status = reply.status;
    this.extras = parseExtras(reply.extras);
    this.headers = lowerCased(this.extras.headers ?? {});
    if (reply.contentType !== '') this.headers['content-type'] = reply.contentType;
    this.content = new HookData(reply.body);
  }

  get body(): Buffer {
    return this.content.body;
  }

  get data(): unknown {
    return this.content.read(typeOf(this.headers));
  }

  set data(value: unknown) {
    this.content.write(value);
  }

  /**
   * The reply to send.
   *
   * @throws {UnsendableValueError} when JSON cannot represent its data.
   */
  get changed(): ReplyMessage {
    const headers = lowerCased(this.headers);
    const contentType = typeOf(headers);
    const { timing } = this.extras;
    return {
      ...this.reply,
      status: this.status,
      contentType,
      extras: extrasOf(headers, timing),
      body: this.content.bytes(contentType),
    };
  }
}

/**
 * Encodes the answer of a hook.
 *
 * @throws {TypeError} when it is not an answer.
 * @throws {UnsendableValueError} when JSON cannot represent its data.
 */
export function replyOfAnswer(answer: HookAnswer): ReplyMessage {
  if (typeof answer !== 'object' || answer === null) {
    throw new TypeError(`a hook must return { status, data, headers } or undefined, got ${typeof answer}`);
  }
  const { status = 200, data, headers: given = {} } = answer;
  const headers = lowerCased(given);
  const contentType = typeOf(headers);
  const body = data === undefined && status !== 200 ? NO_BYTES : bytesOf(data, contentType);
  return { status, code: '', dispatched: false, more: false, contentType, extras: extrasOf(headers), body };
}

/** The media type without which a reply counts as JSON. */
function typeOf(headers: Headers): string {
  const type = headers['content-type'];
  return typeof type === 'string' ? type : '';
}

function lowerCased(headers: Headers): Record<string, string | readonly string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function extrasOf(headers: Headers, timing?: ReplyExtras['timing']): Buffer {
  const { 'content-type': _type, ...others } = headers;
  const isEmpty = Object.keys(others).length === 0 && timing === undefined;
  return isEmpty ? NO_BYTES : Buffer.from(JSON.stringify({ headers: others, timing }));
}

/** The extras of a reply. The gateway ignores those that it cannot read. */
function parseExtras(bytes: Buffer): ReplyExtras {
  if (bytes.length === 0) return {};
  try {
    const extras = JSON.parse(bytes.toString()) as ReplyExtras | null;
    return { headers: objectOr(extras?.headers), timing: objectOr(extras?.timing) };
  } catch {
    return {};
  }
}

function objectOr<Value>(value: Value): Value | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}
