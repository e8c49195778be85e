/** Flags of V8 that make requests cheaper. The whole process shares them. */
import { setFlagsFromString } from 'node:v8';
import { startFrameGc } from './frame-gc.ts';

/**
 * The flags that are set at once. `v8` is a version of V8, such as `process.versions.v8`.
 *
 * V8 prints an error for a flag that it does not have, so those of unknown versions are left out.
 */
export function flagsFor(v8: string): string[] {
  const major = Number.parseInt(v8, 10);
  return [
    // V8's helper threads cost more than they save here: a request through `up` takes 46 µs of CPU
    // time on two cores with them and 28 µs without (`npm run bench -- --only http-get`,
    // NODE_ENV=production).
    '--no-concurrent-marking',
    // In the first second, the young generation is small and most requests in flight survive its
    // collections. V8 may conclude from that to allocate some of their objects in the old generation
    // from then on. Dead ones keep whole requests alive there until the next major collection.
    '--no-allocation-site-pretenuring',
    // By default (67,584 and 3,000), functions of a request are optimised after several thousand
    // requests, which takes minutes if few arrive. V8 13 has a quicker compiler for the time before.
    ...(major === 11 ? ['--interrupt-budget=20000'] : []),
    ...(major === 12 ? ['--invocation-count-for-turbofan=1000'] : []),
  ];
}

/**
 * Sets flags of V8 for forwarding messages. The command line calls it unless `--v8-tuning off` is
 * given; importing this package does not. Call it at the start of a program that mainly runs a
 * router or a gateway. It affects the whole process and cannot be undone:
 *
 * - Incremental marking runs on the main thread only (`--no-concurrent-marking`).
 * - All objects begin in the young generation (`--no-allocation-site-pretenuring`).
 * - Functions are optimised after a third of the calls (Node.js 20: `--interrupt-budget`; 22:
 *   `--invocation-count-for-turbofan`).
 * - Each 8 MiB of frames that this thread receives cause a scavenge. While the heap is below 64 MiB,
 *   V8 does not mark it incrementally in the second after one (`--no-incremental-marking`).
 *
 * @example
 * ```ts
 * import { tuneV8, ZeroMQRouter } from 'zeromq-gateway';
 *
 * tuneV8();
 * const router = new ZeroMQRouter({
 *   frontendConnection: 'tcp://127.0.0.1:5555',
 *   backendConnection: 'tcp://127.0.0.1:5556',
 * });
 * await router.start();
 * ```
 */
export function tuneV8(): void {
  for (const flag of flagsFor(process.versions.v8)) setFlagsFromString(flag);
  startFrameGc();
}
