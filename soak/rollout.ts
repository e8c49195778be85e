/**
 * `npm run soak:rollout [rounds] [-- --scale N]`: rolls out every role of deploy/kubernetes under 200
 * requests per second, with the commands, settings, probes, hooks and times of the manifests, and a
 * change of the contract in the second round. Needs root and iproute2. Exits with code 1 if an
 * idempotent request fails, or if the checker of outcomes finds a violation.
 */
import { parseArgs } from 'node:util';
import { hostsSkipReason } from '../test/helpers/hosts.ts';
import { Scope } from '../test/helpers/scope.ts';
import { rollOut } from './lib/rollout/run.ts';

const MAX_PROBLEMS = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { scale: { type: 'string', default: '1' } },
});
const [rounds, scale] = [Number(positionals[0] ?? '3'), Number(values.scale)];
if (!(Number.isInteger(rounds) && rounds > 0 && scale > 0))
  throw new Error('rounds and --scale must be positive numbers');
const unable = hostsSkipReason();
if (unable !== undefined) throw new Error(`cannot create the hosts of the pods: ${unable}`);

const scope = new Scope();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void scope.close().finally(() => process.exit(1)));
}
const result = await rollOut(scope, { rounds, scale, report: (line) => console.error(line) }).finally(() =>
  scope.close(),
);
const { idempotent, others, replaced, seconds, problems } = result;
console.log(`${rounds} rounds in ${seconds.toFixed(0)} s: ${replaced} pods replaced`);
console.log(`idempotent requests: ${JSON.stringify(idempotent)}; others: ${JSON.stringify(others)}`);
for (const problem of problems.slice(0, MAX_PROBLEMS)) console.error(`problem: ${problem}`);
const failed = Object.keys(idempotent).some((code) => code !== 'ok');
process.exitCode = failed || problems.length > 0 ? 1 : 0;
