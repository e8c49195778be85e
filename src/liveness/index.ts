/**
 * liveness: heartbeats. `HeartbeatMonitor` and `HeartbeatSender` make the decisions, with a clock
 * and without a network. `ZeroMQHeartbeatReceiver` and `ZeroMQHeartbeatSender` connect them to
 * sockets.
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
