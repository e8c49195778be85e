/**
 * The live view of the dashboard: server-sent events with a snapshot each second, and at once when
 * a worker joins or leaves.
 */
import type { Request, Response } from 'express';
import { toError } from '../../core/messages/errors.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import { HISTORY_SPAN, HISTORY_STEP, History } from './history.ts';
import type { AdminSource } from './source.ts';

/** Time between snapshots, in ms. */
const INTERVAL = 1000;

/** Maximum number of open views. */
const MAX_VIEWS = 50;

/** Maximum number of open views per client address. */
const MAX_VIEWS_PER_ADDRESS = 10;

/** Maximum bytes buffered for a view. A slow view misses snapshots. */
const MAX_BUFFERED = 1024 * 1024;

/** The open live views of an admin listener, and their history. */
export class LiveViews {
  private readonly history = new History();
  private recorder: NodeJS.Timeout | undefined;
  private lastView = 0;
  /** Client address by view. */
  private readonly views = new Map<Response, string>();
  private timer: NodeJS.Timeout | undefined;
  private unsubscribe: (() => void) | undefined;
  private sending = false;
  private sendAgain = false;

  constructor(
    private readonly source: AdminSource,
    private readonly logger: GatewayLogger,
  ) {}

  /** Opens a view. */
  readonly open = (req: Request, res: Response): void => {
    const address = req.socket.remoteAddress ?? '';
    const own = [...this.views.values()].filter((other) => other === address).length;
    if (own >= MAX_VIEWS_PER_ADDRESS || this.views.size >= MAX_VIEWS) {
      const detail = `${address} has ${own} live views (limit ${MAX_VIEWS_PER_ADDRESS}), and ${this.views.size} are open in total (limit ${MAX_VIEWS}).`;
      res.status(503).json({ status: 503, detail });
      return;
    }
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    res.write('retry: 1000\n\n');
    res.write(eventOf('history', this.history.points));
    this.views.set(res, address);
    res.on('close', () => {
      this.views.delete(res);
      if (this.views.size === 0) this.stop();
    });
    this.start();
    this.record();
    void this.send();
  };

  /** Continues the history without views, until it would be empty. */
  private record(): void {
    this.lastView = performance.now();
    this.recorder ??= setInterval(() => {
      if (this.views.size > 0) this.lastView = performance.now();
      else if (performance.now() - this.lastView > HISTORY_SPAN) this.stopRecording();
      else void this.sendOnce();
    }, HISTORY_STEP).unref();
  }

  private stopRecording(): void {
    clearInterval(this.recorder);
    this.recorder = undefined;
  }

  private start(): void {
    if (this.timer !== undefined) return;
    this.timer = setInterval(() => void this.send(), INTERVAL).unref();
    this.unsubscribe = this.source.onChange(() => void this.send());
  }

  private stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.unsubscribe?.();
  }

  /** Sends one snapshot to all views. A change during that time causes another one. */
  private async send(): Promise<void> {
    if (this.sending) {
      this.sendAgain = true;
      return;
    }
    this.sending = true;
    do {
      this.sendAgain = false;
      await this.sendOnce();
    } while (this.sendAgain && this.views.size > 0);
    this.sending = false;
  }

  private async sendOnce(): Promise<void> {
    try {
      const snapshot = await this.source.snapshot();
      const point = this.history.add(snapshot);
      const text = eventOf('snapshot', snapshot) + (point === undefined ? '' : eventOf('history', [point]));
      for (const view of this.views.keys()) if (view.writableLength < MAX_BUFFERED) view.write(text);
    } catch (error) {
      this.logger.error({ err: toError(error) }, 'cannot create a snapshot for the dashboard');
    }
  }
}

function eventOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
