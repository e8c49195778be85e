/** Several gateway processes: throughput per core used. */
import type { Contender } from '../lib/contender.ts';
import { expectReply } from '../lib/expect.ts';
import { interleave, summarise } from '../lib/measure.ts';
import { type Context, type Report, type Scenario, splitOf } from '../lib/scenario.ts';
import { separateAs } from '../lib/zeromq-gateway.ts';

const ECHO = '/echo/hello';
const CONNECTIONS = 64;

const contenders: readonly Contender[] = [1, 2, 4].map((count) =>
  separateAs(`--processes ${count}`, ['--processes', String(count)]),
);

async function run(context: Context): Promise<Report> {
  const missing = contenders[0]?.missing?.();
  const present = missing === undefined ? contenders : [];
  const samples = await interleave(
    present,
    {
      prepare: ({ at }) => expectReply({ url: at + ECHO, reply: { message: 'hello' } }),
      apply: async ({ at, contender }, seconds) => {
        const result = await context.load.run({ origin: at, path: ECHO, connections: CONNECTIONS, seconds });
        context.log(`${contender.name}: ${Math.round(result.requests / result.seconds)} requests/s`);
        return result;
      },
    },
    context.effort,
  );
  return {
    name: processes.name,
    title: processes.title,
    about: `GET /echo/hello at ${CONNECTIONS} connections; gateway processes, one router, one worker. Cores are those used by gateways, router and worker; the load generator uses the same machine.`,
    columns: [
      { key: 'perSecond', title: 'Requests/s' },
      { key: 'cores', title: 'Cores used', digits: 2 },
      { key: 'perCore', title: 'Requests/s a core used' },
      { key: 'p50', title: 'p50 ms', digits: 2 },
      { key: 'p99', title: 'p99 ms', digits: 2 },
    ],
    rows: present.map(({ name }) => {
      const { perSecond, cpuTotal, cpu, p50, p99 } = summarise(name, samples.get(name) ?? []);
      const values = { perSecond, cores: (perSecond * cpuTotal) / 1e6, perCore: 1e6 / cpuTotal, p50, p99 };
      return { label: name, values, split: splitOf(cpu), highlighted: true };
    }),
    targets: [],
    drawn: 'perCore',
    skipped: missing === undefined ? [] : [missing],
  };
}

const processes: Scenario = { name: 'processes', title: 'Gateway processes', run };

export const processScenarios: readonly Scenario[] = [processes];
