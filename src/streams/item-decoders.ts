/** Decode the items of a streamed reply from its bytes, by media type. */
import { StringDecoder } from 'node:string_decoder';
import type { ReadJson } from '../core/json/large-integers.ts';
import { errorOfOutcome } from '../core/messages/errors.ts';
import { isJsonType } from '../wire/metadata.ts';

/** A server-sent event (WHATWG HTML, section 9.2). */
export interface StreamEvent<Data = unknown> {
  /** Id of the last event that had one. */
  readonly id: string | undefined;
  /** Name of the event. */
  readonly event: string;
  /** Data: the parsed value if it is JSON, else the text. */
  readonly data: Data;
  /** How long to wait before reconnecting, in ms, if the event has it. */
  readonly retry: number | undefined;
}

/** Decodes items from chunks of any size. */
export interface ItemDecoder {
  /** Decodes the items that end in a chunk. */
  read(bytes: Buffer): unknown[];
  /** Decodes what is left at the end of the stream. */
  end(): unknown[];
}

/** The decoder for a media type: items of event streams and NDJSON, the value of JSON, else the bytes. */
export function decoderFor(contentType: string, readJson: ReadJson, maxBytes: number): ItemDecoder {
  const [type = ''] = contentType.split(';');
  switch (type.trim().toLowerCase()) {
    case 'text/event-stream':
      return new EventDecoder(readJson, maxBytes);
    case 'application/x-ndjson':
    case 'application/ndjson':
    case 'application/jsonl':
    case 'application/json-seq':
      return new LineDecoder(readJson, maxBytes);
    default:
      return isJsonType(contentType) ? new JsonDecoder(readJson, maxBytes) : BYTES;
  }
}

const BYTES: ItemDecoder = { read: (bytes) => [bytes], end: () => [] };

/** Parses a JSON item of a stream. */
function parse(text: string, readJson: ReadJson): unknown {
  try {
    return readJson(text);
  } catch (cause) {
    throw errorOfOutcome('BAD_REPLY', 'an item of the stream is not valid JSON', { cause });
  }
}

/** Collects text up to the end of a line or of the reply. */
class TextBuffer {
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';

  constructor(private readonly maxBytes: number) {}

  /** Appends bytes and returns the complete text so far; `keep` stores what is left of it. */
  append(bytes: Buffer): string {
    return this.rest + this.decoder.write(bytes);
  }

  keep(rest: string): void {
    if (rest.length > this.maxBytes) {
      throw errorOfOutcome('BAD_REPLY', `an item of the stream exceeds maxMessageSize ${this.maxBytes}`);
    }
    this.rest = rest;
  }

  end(): string {
    return this.rest + this.decoder.end();
  }
}

/** A JSON value: its parts are one item. */
class JsonDecoder implements ItemDecoder {
  private readonly parts: Buffer[] = [];
  private bytes = 0;

  constructor(
    private readonly readJson: ReadJson,
    private readonly maxBytes: number,
  ) {}

  read(bytes: Buffer): unknown[] {
    this.bytes += bytes.length;
    if (this.bytes > this.maxBytes) {
      throw errorOfOutcome('BAD_REPLY', `the reply exceeds maxMessageSize ${this.maxBytes}`);
    }
    this.parts.push(bytes);
    return [];
  }

  end(): unknown[] {
    return this.bytes === 0 ? [] : [parse(Buffer.concat(this.parts).toString(), this.readJson)];
  }
}

/** NDJSON, JSON Lines, and JSON text sequences (RFC 7464) that end each text with a line feed. */
class LineDecoder implements ItemDecoder {
  private readonly text: TextBuffer;

  constructor(
    private readonly readJson: ReadJson,
    maxBytes: number,
  ) {
    this.text = new TextBuffer(maxBytes);
  }

  read(bytes: Buffer): unknown[] {
    const lines = this.text.append(bytes).split('\n');
    this.text.keep(lines.pop() ?? '');
    return lines.flatMap((line) => this.item(line));
  }

  end(): unknown[] {
    return this.item(this.text.end());
  }

  private item(line: string): unknown[] {
    // The record separator that begins a text of a sequence (RFC 7464, section 2.2).
    const text = (line.startsWith('\u001e') ? line.slice(1) : line).trim();
    return text === '' ? [] : [parse(text, this.readJson)];
  }
}

/** Server-sent events: WHATWG HTML, section 9.2.6. */
class EventDecoder implements ItemDecoder {
  private readonly text: TextBuffer;
  private started = false;
  private id: string | undefined;
  private event = '';
  private data: string[] = [];
  private retry: number | undefined;

  constructor(
    private readonly readJson: ReadJson,
    maxBytes: number,
  ) {
    this.text = new TextBuffer(maxBytes);
  }

  read(bytes: Buffer): unknown[] {
    let text = this.text.append(bytes);
    if (!this.started && text !== '') {
      this.started = true;
      if (text.startsWith('\ufeff')) text = text.slice(1);
    }
    // A carriage return at the end may be the first half of a line end.
    const held = text.endsWith('\r') ? '\r' : '';
    const lines = text.slice(0, text.length - held.length).split(/\r\n|\n|\r/);
    this.text.keep((lines.pop() ?? '') + held);
    return lines.flatMap((line) => this.line(line));
  }

  /** An event that no blank line ends is dropped. */
  end(): unknown[] {
    return this.text.end().endsWith('\r') ? this.line('') : [];
  }

  private line(line: string): unknown[] {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.event = value;
    else if (field === 'id' && !value.includes('\0')) this.id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
    return [];
  }

  private dispatch(): unknown[] {
    const { data, event, id, retry } = this;
    this.data = [];
    this.event = '';
    this.retry = undefined;
    if (data.length === 0) return [];
    const item: StreamEvent = {
      id,
      event: event || 'message',
      data: this.dataOf(data.join('\n')),
      retry,
    };
    return [item];
  }

  private dataOf(text: string): unknown {
    try {
      return this.readJson(text);
    } catch {
      return text;
    }
  }
}
