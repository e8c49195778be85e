/** Subscriptions to diagnostics channels, ended together. */
import type { DiagnosticsChannel } from '../core/observability/diagnostics.ts';

export class Subscriptions {
  private readonly enders: (() => void)[] = [];

  add<Payload>(channel: DiagnosticsChannel<Payload>, listener: (payload: Payload) => void): void {
    channel.subscribe(listener);
    this.enders.push(() => channel.unsubscribe(listener));
  }

  close(): void {
    for (const end of this.enders.splice(0)) end();
  }
}
