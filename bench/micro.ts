/** `npm run bench:micro`: micro benchmarks of single parts, with tinybench. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { bindingSuite } from './micro/binding.ts';
import { codecSuite } from './micro/codec.ts';
import { hopsSuite } from './micro/hops.ts';
import { metricsSuite } from './micro/metrics.ts';
import type { MicroSuite } from './micro/task.ts';
import { validationSuite } from './micro/validation.ts';

const TIME = 500;

async function measure({ title, tasks, close }: MicroSuite): Promise<void> {
  const bench = new Bench({ time: TIME });
  for (const task of tasks) bench.add(task.name, () => task.run());
  await bench.run();
  close?.();
  console.log(`\n${title}`);
  for (const [index, { name, result }] of bench.tasks.entries()) {
    if (!('latency' in result)) throw new Error(`${name} was not measured: ${result.state}`);
    const each = (result.latency.p50 * 1000) / (tasks[index]?.units ?? 1);
    console.log(`  ${name.padEnd(48)} ${each.toFixed(3).padStart(10)} µs`);
  }
}

for (const suite of [codecSuite, validationSuite, bindingSuite, metricsSuite, hopsSuite])
  await measure(await suite());

// These benchmarks measure memory, or the pauses of a router, so each runs in a process of its own.
for (const name of ['router-core', 'hellos']) {
  console.log();
  const program = fileURLToPath(new URL(`micro/${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', program], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = status ?? 1;
}
