/** Publishes reconnection attempts. */
import { type DiagnosticsSource, diagnostics } from '../../core/observability/diagnostics.ts';
import type { ZeroMQSocketMonitor } from '../libzmq/socket-monitor.ts';

/**
 * Publishes each reconnection attempt of a socket with one peer, counted from 1 until it is
 * connected.
 */
export function publishReconnects(
  monitor: ZeroMQSocketMonitor,
  source: DiagnosticsSource,
  endpoint: string,
): void {
  let attempt = 0;
  monitor.on('handshake', () => {
    attempt = 0;
  });
  monitor.on('connect:retry', ({ interval = 0 }) => {
    attempt += 1;
    if (!diagnostics.reconnect.hasSubscribers) return;
    const { kind, node } = source;
    diagnostics.reconnect.publish({ kind, node, endpoint, attempt, delay: interval });
  });
}
