/** Checks the items of a streamed reply against the document: events, and lines of JSON. */
import type { StreamFormat } from '../../contract/stream-types.ts';
import { parseReply } from '../binding/json.ts';
import type { RequestIssue } from '../common/problem.ts';
import type { ItemRule } from '../routing/reply-rules.ts';
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
    private readonly rule: ItemRule,
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
    else this.rule.item(parsed.value, pointer, this.issues, parsed.exact);
  }

  /**
   * Checks an event, whose data is a text, and the JSON in it (OpenAPI 3.2, 4.14.4). A schema may
   * also describe the data as if it were not in a text.
   */
  private checkEvent({ event, data }: SplitEvent): void {
    const pointer = this.next();
    const fields = event === '' ? {} : { event };
    const parsed = parsedOf(Buffer.from(data));
    const { item, data: validateData } = this.rule;
    const issues: RequestIssue[] = [];
    if (validateData === undefined) {
      if (item({ ...fields, data }, pointer, issues)) return;
      if (parsed !== undefined && item({ ...fields, data: parsed.value }, pointer, [], parsed.exact)) return;
      this.issues.push(...issues);
      return;
    }
    item({ ...fields, data }, pointer, this.issues);
    if (parsed !== undefined && validateData(parsed.value, pointer, issues, parsed.exact)) return;
    // A text is sent unchanged, and not as JSON.
    if (validateData(data, pointer, [])) return;
    if (parsed === undefined) this.issues.push({ pointer, detail: 'is not JSON' });
    else this.issues.push(...issues);
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
