/** A request body on its way from the client to the worker. */
import type { IncomingMessage } from 'node:http';
import type { FormFields, StreamedForm } from '../binding/streamed-form.ts';
import { outcomeProblem, type Problem } from '../common/problem.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { ChunkSender } from './chunk-sender.ts';
import { type FormLimits, FormUpload } from './form-upload.ts';
import { UploadReader } from './upload-reader.ts';

/** What an upload reports to. */
export interface UploadOwner {
  /** Sends a chunk to the worker. */
  send(body: Buffer, end: boolean): void;
  /** The fields of a form before its first file are complete: the request can be sent. */
  onFields(fields: FormFields): void;
  /** The body cannot be read, or the worker does not take it. */
  onProblem(problem: Problem): void;
}

/** How a form is read. */
export interface FormOptions {
  readonly type: string;
  readonly form: StreamedForm;
  readonly limits: FormLimits;
}

/** One upload. A body of bytes is read once a worker takes it, a form as soon as it starts. */
export class Upload {
  private readonly sender: ChunkSender;
  private readonly reader: UploadReader;
  private form: FormUpload | undefined;
  private isStarted = false;
  /** When the request was sent, by `performance.now()`; undefined before. */
  private sentAt: number | undefined;
  private isTaken = false;

  /** @param limit maximum size in bytes. */
  constructor(
    private readonly gateway: GatewayContext,
    req: IncomingMessage,
    limit: number,
    private readonly owner: UploadOwner,
  ) {
    this.sender = new ChunkSender({
      totals: gateway.streams.totals,
      send: (body, end) => owner.send(body, end),
      onEmpty: () => this.onEmpty(),
    });
    this.reader = new UploadReader(req, gateway.bodies, limit, {
      onData: (bytes) => (this.form === undefined ? this.sender.push(bytes) : this.form.write(bytes)),
      onEnd: () => (this.form ?? this.sender).end(),
      onProblem: (problem) => this.fail(problem),
    });
  }

  /** Bytes that have arrived from the client. */
  get received(): number {
    return this.reader.received;
  }

  /** Whether the client has sent the whole body. */
  get isRead(): boolean {
    return this.reader.ended;
  }

  /**
   * Starts to read a form.
   * @throws {BodyError} when its media type has no boundary.
   */
  async startForm({ type, form, limits }: FormOptions): Promise<void> {
    const { Busboy } = await import('@fastify/busboy');
    this.form = new FormUpload(Busboy, type, form, limits, this.sender, {
      onFields: (fields) => this.owner.onFields(fields),
      onDrain: () => this.reader.resume(),
      onProblem: (problem) => this.fail(problem),
    });
    this.start();
  }

  /** The request was sent to the worker. */
  onSent(): void {
    this.sentAt = performance.now();
  }

  /** The worker takes `bytes` more. Returns whether the body is to be read now. */
  grant(bytes: number): boolean {
    const isFirst = !this.isTaken;
    this.isTaken = true;
    this.sender.grant(bytes);
    return isFirst && !this.isStarted;
  }

  /** Starts to read the body. */
  start(): void {
    this.isStarted = true;
    this.reader.start();
  }

  /** Stops the upload. The rest of the body is discarded. */
  stop(): void {
    this.form?.stop();
    this.reader.stop();
  }

  /**
   * Finds what has taken too long.
   * @param timeout of the request, in ms. It counts until a worker takes the body, and from the end
   *   of the body to the reply.
   */
  check(now: number, timeout: number): void {
    const { clientTimeouts, streamIdleTimeout } = this.gateway.settings;
    this.reader.check(now, clientTimeouts.body);
    if (this.sentAt === undefined) return;
    const { sender } = this;
    if (!this.isTaken) {
      if (now - this.sentAt > timeout) this.expire(`No worker took the body within ${timeout} ms.`);
    } else if (sender.ended) {
      if (now - sender.takenAt > timeout)
        this.expire(`The worker did not reply within ${timeout} ms of the last byte of the body.`);
    } else if (sender.isWaiting && now - sender.takenAt > streamIdleTimeout) {
      this.expire(`The worker took nothing of the body for ${streamIdleTimeout} ms.`);
    }
  }

  private onEmpty(): void {
    if (this.form === undefined) this.reader.resume();
    else this.form.resume();
  }

  private expire(detail: string): void {
    this.fail(outcomeProblem('TIMEOUT', detail));
  }

  private fail(problem: Problem): void {
    this.stop();
    this.owner.onProblem(problem);
  }
}
