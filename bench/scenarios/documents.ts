/** Time for a gateway to load a document. */
import { startContender } from '../lib/contender.ts';
import { documentOf } from '../lib/documents.ts';
import type { Context, Report, Scenario } from '../lib/scenario.ts';
import { median } from '../lib/stats.ts';
import { missingBuild, startGateway, startRouter } from '../lib/zeromq-gateway.ts';

const SIZES = [10, 1000];

async function startTime(routes: number): Promise<number> {
  let took = 0;
  const running = await startContender({
    name: `${routes} routes`,
    does: '',
    async start(launch) {
      const { frontend } = await startRouter(launch);
      const begun = performance.now();
      const origin = await startGateway(launch, frontend, ['--openapi', documentOf(routes)]);
      took = performance.now() - begun;
      return origin;
    },
  });
  await running.stop();
  return took;
}

async function run({ effort, log }: Context): Promise<Report> {
  const missing = missingBuild();
  const times = new Map<number, number[]>(SIZES.map((routes) => [routes, []]));
  for (let round = 0; missing === undefined && round < effort.rounds; round += 1) {
    for (const [routes, found] of times) {
      const time = await startTime(routes);
      log(`${routes} routes: ready after ${Math.round(time)} ms`);
      found.push(time);
    }
  }
  const large = median(times.get(SIZES.at(-1) ?? 0) ?? []);
  return {
    name: documents.name,
    title: documents.title,
    about: 'From the start of the gateway process to its ready line, with the document loaded.',
    columns: [{ key: 'time', title: 'Ready after, ms' }],
    rows: [...times].map(([routes, found]) => ({
      label: `${routes.toLocaleString('en-US')} routes`,
      values: { time: median(found) },
      highlighted: true,
    })),
    targets:
      missing === undefined
        ? [
            {
              key: 'documents',
              what: 'Start of a gateway with 1,000 operations',
              against: '–',
              bound: 'at most',
              want: 2000,
              value: large,
              unit: ' ms',
            },
          ]
        : [],
    drawn: 'time',
    skipped: missing === undefined ? [] : [missing],
  };
}

export const documents: Scenario = { name: 'documents', title: 'Start with a large document', run };
