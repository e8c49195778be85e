/**
 * Processes of the benchmark: clients, workers and routers controlled by the harness over IPC.
 *
 * They import from `dist/`, so that the benchmarks measure the code that is published.
 */

/**
 * Reports that the driver is ready and replies to each command. The process ends with the harness.
 */
export function serve<C>(ready: string, handle: (command: C) => Promise<unknown>): void {
  process.on('message', (command: C) => {
    handle(command).then(
      (result) => process.send?.({ result: result ?? null }),
      (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
    );
  });
  process.once('disconnect', () => process.exit(0));
  process.once('SIGTERM', () => process.exit(0));
  process.stdout.write(`ready ${ready}\n`);
}
