/** The workers or the server of a process, as its admin listener sees them. */
import type { Health, HealthReason } from '../../core/observability/health.ts';
import type { ServiceView } from '../../metrics/index.ts';
import type { ZeroMQServer } from '../../server/index.ts';
import type { ZeroMQWorkerThreads } from '../../worker/index.ts';

/** A part of a process that runs handlers. */
export interface ServicePart extends ServiceView {
  health(): Health;
}

/**
 * The workers of a file. They can serve while a router has accepted each of them; they are degraded
 * while a thread does not run, or while another router has not accepted a worker.
 */
export class WorkerPart implements ServicePart {
  readonly kind = 'worker';

  /** @param name name of the file */
  constructor(
    private readonly name: string,
    private readonly group: ZeroMQWorkerThreads,
  ) {}

  get load(): number {
    return this.group.reports().reduce((sum, { load }) => sum + load, 0);
  }

  get concurrency(): number {
    return this.group.reports().reduce((sum, { concurrency }) => sum + concurrency, 0);
  }

  get routers(): ServiceView['routers'] {
    return this.group.reports().flatMap(({ routers }) => routers);
  }

  health(): Health {
    const threads = this.group.reports();
    const running = threads.filter((thread) => thread.running && thread.concurrency > 0);
    const serving = running.filter(({ routers }) => routers.some(({ state }) => state === 'accepted'));
    const reasons: HealthReason[] = [];
    if (running.length < threads.length) {
      const detail = `${this.name}: ${running.length} of ${threads.length} threads run.`;
      reasons.push({ code: 'THREAD_DOWN', detail });
    }
    reasons.push(...this.refusals(running.flatMap(({ routers }) => routers)));
    if (running.length > serving.length && reasons.every(({ code }) => code === 'THREAD_DOWN')) {
      reasons.push({ code: 'NO_ROUTER', detail: `${this.name}: no router is known yet.` });
    }
    if (reasons.length === 0) return { status: 'ok', reasons };
    const serves = serving.length > 0 && serving.length === running.length;
    return { status: serves ? 'degraded' : 'unavailable', reasons };
  }

  /** The routers that have not accepted a worker, each once. */
  private refusals(
    routers: readonly { readonly endpoint: string; readonly state: string; readonly reason?: string }[],
  ): HealthReason[] {
    const waiting = routers.filter(({ state }) => state !== 'accepted');
    const texts = waiting.map(({ endpoint, state, reason }) => {
      return `${this.name}: ${endpoint} has not accepted the worker (${reason ?? state}).`;
    });
    const code = waiting.some(({ state }) => state === 'rejected') ? 'REJECTED' : 'NO_ROUTER';
    return [...new Set(texts)].map((detail) => ({ code, detail }));
  }
}

/** A server, which can serve as soon as it listens. */
export class ServerPart implements ServicePart {
  readonly kind = 'server';
  readonly routers = [];

  constructor(private readonly server: ZeroMQServer) {}

  get load(): number {
    return this.server.load;
  }

  get concurrency(): number {
    return this.server.capacity;
  }

  health(): Health {
    return { status: 'ok', reasons: [] };
  }
}
