/**
 * `npm run soak:streams`: memory and fairness of streams, with gateway, router and worker in processes
 * of their own.
 *
 * 1. Downloads and uploads a large body, at full speed and by a slow client, and measures how much
 *    the memory of each process grows above idle.
 * 2. Measures small requests alone and while a large download runs through the same router.
 *
 * Exits with 1 if a process grows by more than 64 MiB, a transfer is incomplete, or the p99 of the
 * small requests more than doubles. Argument: GiB of a transfer (default 2).
 */
import { describeMachine } from '../bench/lib/machine.ts';
import { measureStreams } from './lib/streams.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
/** Maximum growth of a process, in MiB. */
const MAX_GROWTH = 64;
/** Maximum factor by which a download may raise the p99 of small requests. */
const MAX_DELAY = 2;

const [gibibytes = '2'] = process.argv.slice(2);
const bytes = Number(gibibytes) * GIB;
if (!(bytes >= MIB)) throw new Error(`the number of GiB must be positive, got ${gibibytes}`);

const { cpu, cores, memory, node } = describeMachine('');
console.log(`${cores} × ${cpu}, ${memory}, Node.js ${node}; ${gibibytes} GiB`);
const { growth, alone, beside } = await measureStreams(
  { bytes, slowBytes: 64 * MIB, slowRate: 8 * MIB, requests: 1000 },
  (line) => console.log(line),
);
const grown = Object.values(growth).flatMap((each) => Object.values(each));
const highest = Math.max(...grown);
const delay = beside / alone;
console.log(`Highest growth: ${highest.toFixed(0)} MiB, at most ${MAX_GROWTH}.`);
console.log(`p99 of small requests beside a download: ${delay.toFixed(2)}×, at most ${MAX_DELAY}.`);
if (highest > MAX_GROWTH || delay > MAX_DELAY) process.exitCode = 1;
