/**
 * Reads a multipart form while it arrives (RFC 7578). The fields before the first file become event
 * data; every part from then on is sent to the worker.
 */
import type { Readable } from 'node:stream';
import type { Busboy } from '@fastify/busboy';
import { BodyError } from '../binding/json.ts';
import { boundaryOf, checkEnd, encodingError, MAX_HEADERS, MAX_PARTS } from '../binding/multipart.ts';
import type { Part } from '../binding/multipart-form.ts';
import { FormFields, issueOf, type PartHead, type StreamedForm } from '../binding/streamed-form.ts';
import { httpProblem, invalidRequest, type Problem, type RequestIssue } from '../common/problem.ts';
import type { ChunkSender } from './chunk-sender.ts';
import { PART_END, partData, partHead } from './segments.ts';

/** Maximum number of bytes after the last boundary that are kept for {@link checkEnd}. */
const MAX_EPILOGUE = 64;

/** The limits of a form. */
export interface FormLimits {
  readonly files: number;
  readonly fields: number;
  /** Maximum size of all fields, in bytes. */
  readonly fieldBytes: number;
}

/** What a form reports to. */
export interface FormTarget {
  /** The first fields are complete: the request can be sent. */
  onFields(fields: FormFields): void;
  /** The form takes more bytes. */
  onDrain(): void;
  onProblem(problem: Problem): void;
}

/** A part in the order of the form. */
interface Waiting {
  readonly head: PartHead;
  readonly stream: Readable;
}

/** One form that is being read. */
export class FormUpload {
  private readonly waiting: Waiting[] = [];
  private current: Waiting | undefined;
  private readonly fields: Part[] = [];
  private fieldCount = 0;
  private fieldBytes = 0;
  private readonly files = new Map<string, number>();
  private fileCount = 0;
  /** Whether the first fields are complete. */
  private isSending = false;
  private isParsed = false;
  private stopped = false;
  /** The last bytes of the body. */
  private tail: Buffer = Buffer.alloc(0);
  private readonly boundary: string;
  private readonly parser: InstanceType<typeof Busboy>;

  /** @throws {BodyError} when the media type has no boundary. */
  constructor(
    Parser: typeof Busboy,
    contentType: string,
    private readonly form: StreamedForm,
    private readonly limits: FormLimits,
    private readonly sender: ChunkSender,
    private readonly target: FormTarget,
  ) {
    this.boundary = boundaryOf(contentType);
    this.parser = new Parser({
      headers: { 'content-type': contentType },
      isPartAFile: () => true,
      limits: { parts: MAX_PARTS, headerPairs: MAX_HEADERS },
    });
    this.parser.on('file', (name, stream, filename: string | undefined, encoding, type) => {
      this.onPart({ name, filename, contentType: type.toLowerCase() }, stream, encoding);
    });
    this.parser.on('partsLimit', () => this.tooMany('parts', MAX_PARTS));
    this.parser.on('error', (error) => this.fail(error));
    this.parser.on('finish', () => this.onParsed());
    this.parser.on('drain', () => this.target.onDrain());
  }

  /** Takes bytes of the body. Returns false if no more may follow until `onDrain`. */
  write(bytes: Buffer): boolean {
    const kept = this.boundary.length + MAX_EPILOGUE;
    const all = bytes.length >= kept ? bytes : Buffer.concat([this.tail, bytes]);
    this.tail = all.subarray(Math.max(0, all.length - kept));
    return this.parser.write(bytes);
  }

  /** The body is complete. */
  end(): void {
    try {
      checkEnd(this.tail, this.boundary);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.parser.end();
  }

  /** The worker takes more. */
  resume(): void {
    this.current?.stream.resume();
  }

  /** Stops to read the form. */
  stop(): void {
    this.stopped = true;
  }

  private onPart(head: PartHead, stream: Readable, encoding: string): void {
    stream.on('error', () => undefined);
    stream.pause();
    if (this.stopped) return;
    const error = encodingError(encoding);
    if (error !== undefined) this.fail(error);
    else if (typeof head.name !== 'string') this.fail(new BodyError('has a part without a name'));
    else {
      this.waiting.push({ head, stream });
      if (this.current === undefined) this.next();
    }
  }

  /** Starts with the next part, once the one before it is complete. */
  private next(): void {
    if (this.stopped) return;
    this.current = this.waiting.shift();
    if (this.current === undefined) {
      if (this.isParsed) this.finish();
      return;
    }
    const { head, stream } = this.current;
    if (this.form.isFile(head)) this.readFile(head, stream);
    else this.readField(head, stream);
    stream.resume();
  }

  private readField(head: PartHead, stream: Readable): void {
    const chunks: Buffer[] = [];
    this.fieldCount += 1;
    if (this.fieldCount > this.limits.fields) this.tooMany('fields', this.limits.fields);
    stream.on('data', (chunk: Buffer) => {
      this.fieldBytes += chunk.length;
      if (this.fieldBytes <= this.limits.fieldBytes) chunks.push(chunk);
      else if (!this.stopped) {
        const detail = `The fields of the form are larger than ${this.limits.fieldBytes} bytes.`;
        this.reject(httpProblem('PAYLOAD_TOO_LARGE', detail));
      }
    });
    stream.on('end', () => {
      if (this.stopped) return;
      const part = { ...head, content: Buffer.concat(chunks) };
      if (this.isSending) this.sendField(part);
      else this.fields.push(part);
      this.next();
    });
  }

  /** Sends a field after the first file, which is no longer part of the event data. */
  private sendField(part: Part): void {
    try {
      const issues = this.form.fieldIssues(part);
      if (issues.length > 0) this.invalid(issues);
      else this.sender.push(...partHead(part), ...partData(part.content), PART_END);
    } catch (error) {
      this.fail(error);
    }
  }

  private readFile(head: PartHead, stream: Readable): void {
    let isSent = false;
    const sendHead = (): boolean => {
      if (isSent) return true;
      isSent = true;
      return this.openFile(head);
    };
    stream.on('data', (chunk: Buffer) => {
      if (this.stopped || !sendHead()) return;
      if (!this.sender.push(...partData(chunk))) stream.pause();
    });
    stream.on('end', () => {
      // Browsers send a file field without a file as an empty one without a name.
      if (this.stopped || (!isSent && head.filename === '')) this.next();
      else if (sendHead()) {
        this.sender.push(PART_END);
        this.next();
      }
    });
  }

  /** Sends the head of a file. Returns false if the file is not accepted. */
  private openFile(head: PartHead): boolean {
    this.sendFields();
    if (this.stopped) return false;
    const before = this.files.get(head.name) ?? 0;
    const issues = this.form.fileIssues(head, before);
    this.files.set(head.name, before + 1);
    this.fileCount += 1;
    if (this.fileCount > this.limits.files) this.tooMany('files', this.limits.files);
    else if (issues.length > 0) this.invalid(issues);
    else this.sender.push(...partHead(head));
    return !this.stopped;
  }

  private sendFields(): void {
    if (this.isSending) return;
    this.isSending = true;
    this.target.onFields(new FormFields(this.fields));
  }

  private onParsed(): void {
    this.isParsed = true;
    if (this.current === undefined) this.next();
  }

  private finish(): void {
    const issues: RequestIssue[] = [];
    try {
      if (!this.isSending) this.form.readFields(new FormFields(this.fields), issues);
    } catch (error) {
      issues.push(issueOf(error));
    }
    issues.push(...this.form.missingFiles(new Set(this.files.keys())));
    if (issues.length > 0) this.invalid(issues);
    else this.sendFields();
    if (!this.stopped) this.sender.end();
  }

  private tooMany(what: string, limit: number): void {
    this.reject(httpProblem('PAYLOAD_TOO_LARGE', `The form has more than ${limit} ${what}.`));
  }

  private fail(error: unknown): void {
    this.invalid([issueOf(error)]);
  }

  private invalid(issues: readonly RequestIssue[]): void {
    this.reject(invalidRequest(issues));
  }

  private reject(problem: Problem): void {
    if (this.stopped) return;
    this.stop();
    this.target.onProblem(problem);
  }
}
