/**
 * liveness: heartbeats. `HeartbeatMonitor` and `HeartbeatSender` decide, on a clock and without a network;
 * `ZeroMQHeartbeatReceiver` and `ZeroMQHeartbeatSender` put them on sockets.
 */
export type { Heartbeat, HeartbeatNodeType } from './heartbeat.ts';
export { ZeroMQHeartbeatConfig, type ZeroMQHeartbeatConfigOptions } from './heartbeat-config.ts';
export type { HeartbeatNode } from './heartbeat-monitor.ts';
export {
  type HeartbeatReceiverEvents,
  ZeroMQHeartbeatReceiver,
  type ZeroMQHeartbeatReceiverOptions,
  ZeroMQHeartbeatSender,
  type ZeroMQHeartbeatSenderOptions,
} from './heartbeat-sockets.ts';
