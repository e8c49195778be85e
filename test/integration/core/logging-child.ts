/**
 * Sets up logging in the folder of argv and performs the action of argv. Results go to
 * `result.json` in the folder.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { defaultLogger, type Logging, setupLogging } from '../../../src/core/logging/logging.ts';

const [mode, folder = ''] = process.argv.slice(2);

/** Logs far more than a pipe holds, and measures how long the event loop was blocked. */
async function flood(logging: Logging): Promise<void> {
  const logger = logging.logger.child({ node: 'router', secretKey: 'hush' });
  const text = 'x'.repeat(1000);
  let longest = 0;
  for (let round = 0; round < 100; round += 1) {
    const start = performance.now();
    for (let each = 0; each < 20; each += 1) logger.info({ number: round * 20 + each }, text);
    await turn();
    longest = Math.max(longest, performance.now() - start);
  }
  await logging.close();
  const { dropped, file } = logging;
  writeFileSync(join(folder, 'result.json'), JSON.stringify({ longest, dropped, file }));
  process.exit(0);
}

if (mode === 'default') {
  defaultLogger().info('not this');
  defaultLogger().child({ node: 'worker' }).warn('but this');
  process.exit(0);
} else if (mode === 'flood') {
  await flood(setupLogging(folder, { maxBuffer: 1_000_000, console: 'stdout' }));
} else if (mode === 'exit') {
  setupLogging(folder, { consoleLevel: 'silent' });
  for (let number = 0; number < 1000; number += 1) {
    defaultLogger().debug({ number }, 'going');
    // When the process exits, half of the lines are being written and half are queued.
    if (number === 500) await turn();
  }
  process.exit(3);
} else if (mode === 'throw') {
  const { logger } = setupLogging(folder);
  logger.error({ err: new Error('for people') }, 'last words');
  throw new Error('not caught');
}
