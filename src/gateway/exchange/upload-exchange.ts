/** An operation request whose body is sent to the worker while it arrives. */
import type { InFlight, OutgoingRequest, ReplyMessage } from '../../core/messages/message.ts';
import { issueOf } from '../binding/streamed-form.ts';
import { isFormType, isMultipartType } from '../common/media-type.ts';
import { invalidRequest, type Problem } from '../common/problem.ts';
import { lingerOnClose } from '../streams/lingering.ts';
import { Upload } from '../streams/upload.ts';
import { uploadProblem } from '../streams/upload-reader.ts';
import { acceptProblem, hasBody, unsupportedMediaType } from './request-body.ts';
import { StreamExchange } from './stream-exchange.ts';

/** An operation request whose body may be a stream. */
export class UploadExchange extends StreamExchange {
  private upload: Upload | undefined;
  /** Request timeout, in ms. */
  private timeout = 0;
  /** Whether the connection closes after the response, because the body is not read to its end. */
  private closes = false;

  override check(now: number): void {
    if (!this.settled && this.reply === undefined) this.upload?.check(now, this.timeout);
    super.check(now);
  }

  protected override get isUpload(): boolean {
    return this.upload !== undefined;
  }

  protected override get received(): number {
    return this.upload?.received ?? 0;
  }

  protected override accept(): void {
    const { req, gateway, route } = this;
    const header = req.headers['content-type'];
    // A URL-encoded form has no files, so that its fields are the event data.
    if (header !== undefined && isFormType(header)) {
      super.accept();
      return;
    }
    if (!this.count()) return;
    const limit = this.limit;
    const { bodies } = route.binder;
    const type = bodies.streamTypeFor(header);
    const problem =
      acceptProblem(req, route) ??
      (type === undefined
        ? unsupportedMediaType(header, bodies, bodies.streamTypes)
        : uploadProblem(req, limit));
    if (problem !== undefined || type === undefined) {
      if (problem !== undefined) this.fail(problem);
      return;
    }
    if (route.operation.bodyRequired && !hasBody(req)) {
      this.fail(invalidRequest([{ pointer: '/body', detail: 'is required' }]));
      return;
    }
    this.upload = new Upload(gateway, req, limit, {
      send: (body, end) => this.workerRequest?.sendChunk(body, end),
      onFields: (fields) => this.attempt(() => this.bind(type, fields)),
      onProblem: (found) => {
        this.workerRequest?.cancel();
        this.workerRequest = undefined;
        this.fail(found);
      },
    });
    if (isMultipartType(type)) this.readForm(type, this.upload);
    else this.bind(type, undefined);
  }

  /** Reads a form, after the parameters were found to be valid. */
  private readForm(type: string, upload: Upload): void {
    const { route, gateway } = this;
    const bound = route.binder.bind(this, '', undefined);
    const form = route.binder.bodies.streamedForm(type);
    if (Array.isArray(bound) || form === undefined) {
      this.fail(invalidRequest(Array.isArray(bound) ? bound : []));
      return;
    }
    const { files = Infinity, fields = Infinity } = route.operation.uploadLimits;
    const limits = { files, fields, fieldBytes: gateway.settings.limits.body };
    this.askForBody();
    upload
      .startForm({ type, form, limits })
      .catch((error: unknown) => this.fail(invalidRequest([issueOf(error)])));
  }

  /** Maximum size of the body, in bytes. */
  private get limit(): number {
    const { upload } = this.gateway.settings.limits;
    const own = this.route.operation.uploadLimits.bytes ?? Infinity;
    return Math.min(own, upload === 0 ? Infinity : upload);
  }

  protected override request(outgoing: OutgoingRequest): InFlight {
    this.timeout = outgoing.timeout;
    this.upload?.onSent();
    return super.request(outgoing);
  }

  protected override onWindow(bytes: number): void {
    const { upload } = this;
    if (upload === undefined || this.settled || !upload.grant(bytes)) return;
    this.askForBody();
    upload.start();
  }

  /** Sends 100 Continue to a client that waits for it. */
  private askForBody(): void {
    const { gateway, req, res } = this;
    if (!gateway.expecting.has(req)) return;
    res.removeHeader('Connection');
    res.writeContinue();
  }

  protected override deliver(reply: ReplyMessage): void {
    this.closeIfUnread();
    super.deliver(reply);
  }

  protected override finish(problem: Problem, reply: ReplyMessage | undefined): void {
    this.closeIfUnread();
    super.finish(problem, reply);
  }

  protected override publish(status: number, code: string, dispatched: boolean, detail?: string): void {
    super.publish(status, code, dispatched, detail);
    this.upload?.stop();
  }

  /** Closes the connection with the response if the client is still sending the body. */
  private closeIfUnread(): void {
    const { req, gateway } = this;
    if (this.closes || req.complete || !hasBody(req)) return;
    this.closes = true;
    if (!gateway.draining) this.extraHeaders.push('Connection', 'close');
    lingerOnClose(req.socket);
  }
}
