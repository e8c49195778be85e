/** Decides when a stream of events that has lost its worker continues on another one. */
import type { OutcomeCode } from '../../core/messages/outcome.ts';
import { Backoff } from '../../core/time/backoff.ts';
import type { ResumableEventStream } from './event-stream.ts';

/** Maximum number of attempts without an event in between. */
const MAX_ATTEMPTS = 10;

/** Outcomes after which another worker, or the same one a little later, can continue. */
const RESUMABLE: ReadonlySet<string> = new Set<OutcomeCode>([
  'BUSY',
  'EXPIRED',
  'NO_ROUTER',
  'NO_WORKER',
  'QUEUE_FULL',
  'SHUTTING_DOWN',
  'TIMEOUT',
  'WORKER_LOST',
]);

/** The attempts to continue one stream. */
export class Resumption {
  /** Whether an attempt waits or has not brought a chunk yet. */
  isPending = false;
  private readonly backoff = new Backoff({ initial: 100, max: 2000 });
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly stream: ResumableEventStream) {}

  /**
   * Schedules an attempt.
   * @param code why the worker ended the stream.
   * @param send sends the request again.
   * @returns false if the stream cannot continue.
   */
  schedule(code: string, send: (lastEventId: string) => void): boolean {
    const { resumeId } = this.stream;
    if (!RESUMABLE.has(code) || resumeId === undefined || this.backoff.attempts >= MAX_ATTEMPTS) return false;
    this.isPending = true;
    this.stream.restart();
    this.timer = setTimeout(() => send(resumeId), this.backoff.next());
    return true;
  }

  /** A chunk has arrived. */
  onChunk(): void {
    this.isPending = false;
    this.backoff.reset();
  }

  /** The stream has ended. */
  stop(): void {
    clearTimeout(this.timer);
  }
}
