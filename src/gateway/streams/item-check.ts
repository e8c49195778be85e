/** Checks the items of a streamed reply against the document: events, and lines of JSON. */
import type { StreamFormat } from '../../contract/stream-types.ts';
import { parseReply } from '../binding/json.ts';
import type { RequestIssue } from '../common/problem.ts';
import type { Validate } from '../validation/validate.ts';
import { EventSplitter, type SplitEvent } from './event-splitter.ts';
import { LineSplitter } from './line-splitter.ts';

/** Byte before each text of a JSON text sequence (RFC 7464, 2.2). */
const RECORD_SEPARATOR = 0x1e;

/** Checks the items of one stream. */
export class ItemCheck {
  private readonly splitter: EventSplitter | LineSplitter;
  private issues: RequestIssue[] = [];
  private index = 0;

  /** @param format `events`, `lines` or `sequence`. */
  constructor(
    format: StreamFormat,
    private readonly validate: Validate,
  ) {
    this.splitter =
      format === 'events'
        ? new EventSplitter('', (event) => this.checkEvent(event))
        : new LineSplitter((line) => this.checkLine(line));
  }

  /** Checks the items that a chunk completes. Returns what is wrong with them. */
  push(chunk: Buffer): readonly RequestIssue[] {
    this.issues = [];
    this.splitter.push(chunk);
    return this.issues;
  }

  /** Checks the last item, whose line end may be missing. */
  end(chunk: Buffer): readonly RequestIssue[] {
    const before = this.push(chunk);
    if (!(this.splitter instanceof LineSplitter)) return before;
    this.splitter.end();
    return this.issues;
  }

  private checkLine(given: Buffer): void {
    const line = given[0] === RECORD_SEPARATOR ? given.subarray(1) : given;
    const pointer = this.next();
    const parsed = parsedOf(line);
    if (parsed === undefined) this.issues.push({ pointer, detail: 'is not JSON' });
    else this.validate(parsed.value, pointer, this.issues, parsed.exact);
  }

  /**
   * Checks an event. The schema describes its data, as text or as the JSON value that the text has,
   * or the event with its members `event` and `data` (OpenAPI 3.2, 4.14.4).
   */
  private checkEvent({ event, data }: SplitEvent): void {
    const pointer = this.next();
    const parsed = parsedOf(Buffer.from(data));
    const issues: RequestIssue[] = [];
    if (parsed !== undefined && this.validate(parsed.value, pointer, issues, parsed.exact)) return;
    if (this.validate(data, pointer, parsed === undefined ? issues : [])) return;
    if (this.validate(event === '' ? { data } : { event, data }, pointer, [])) return;
    this.issues.push(...issues);
  }

  private next(): string {
    const pointer = `/items/${this.index}`;
    this.index += 1;
    return pointer;
  }
}

function parsedOf(bytes: Buffer): ReturnType<typeof parseReply> | undefined {
  try {
    return parseReply(bytes);
  } catch {
    return undefined;
  }
}
