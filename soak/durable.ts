/**
 * `npm run soak:durable [minutes] [-- --rate N --seed N --store sqlite|postgres]`: sends asynchronous
 * requests and requests with idempotency keys while gateways, router, workers and PostgreSQL are killed, and
 * checks the outcome of every request. Exits with code 1 if it finds a violation.
 */
import { parseArgs } from 'node:util';
import { soakDurable } from './lib/durable.ts';

const MAX_VIOLATIONS = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rate: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    store: { type: 'string', default: 'sqlite' },
  },
});
const { rate, seed, store } = values;
if (store !== 'sqlite' && store !== 'postgres')
  throw new Error(`--store must be sqlite or postgres, got ${store}`);
const [minutes, perSecond, start] = [positionals[0] ?? '10', rate, seed].map(Number) as [
  number,
  number,
  number,
];
if (!(minutes > 0 && perSecond > 0 && start >= 0))
  throw new Error('minutes, --rate and --seed must be positive numbers');

const { check } = await soakDurable({
  seconds: 60 * minutes,
  rate: perSecond,
  seed: start,
  store,
  report: (line) => process.stderr.write(`${line}\n`),
});
const { accepted, refused, executions, rerun, states, violations } = check;
const ended = [...states].map(([state, count]) => `${state} ${count}`).join(', ');
console.log(`${accepted} accepted requests (${ended}), ${refused} without a 202`);
console.log(`${executions} executions, ${rerun} idempotent requests ran more than once`);
for (const violation of violations.slice(0, MAX_VIOLATIONS)) console.error(`violation: ${violation}`);
console.log(`${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
