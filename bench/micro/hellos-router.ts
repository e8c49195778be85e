/**
 * A router that reports its event loop delay and CPU time. Forked by `hellos.ts`; each message from
 * the parent ends a measurement and starts the next one.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ApiRegistry, contractChecker } from '../../src/gateway/index.ts';
import { ZeroMQRouter, ZeroMQTCPConnection } from '../../src/index.ts';

const anyPort = (): ZeroMQTCPConnection => new ZeroMQTCPConnection(0, '127.0.0.1', { bindHost: '127.0.0.1' });
const router = new ZeroMQRouter({
  frontendConnection: anyPort(),
  backendConnection: anyPort(),
  contractChecker: contractChecker(new ApiRegistry()),
});
const endpoints = await router.start();

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let cpu = process.cpuUsage();
process.on('message', () => {
  const { user, system } = process.cpuUsage(cpu);
  process.send?.({ longest: delay.max / 1e6, cpu: (user + system) / 1000 });
  cpu = process.cpuUsage();
  delay.reset();
});
process.on('disconnect', () => void router.stop());
process.send?.(endpoints);
