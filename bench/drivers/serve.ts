/**
 * Processes of the benchmark: clients, workers and routers that do what the harness tells them over IPC.
 *
 * They import the built product (`dist/`), so that what is measured is what is shipped.
 */

/** Says that the driver is ready and answers each command; ends with the harness. */
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
