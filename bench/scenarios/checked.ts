/**
 * The comparisons that `npm run bench:check` repeats. Their peers need no separate installation.
 */

import { expressDefault } from '../lib/peers.ts';
import type { Context, Scenario } from '../lib/scenario.ts';
import { buildIn, embedded, separate } from '../lib/zeromq-gateway.ts';
import { compareHttp, getEcho, postEcho } from './http.ts';
import { rivals, routerScenario } from './router.ts';

/** Scenarios that compare this build with another one of the project, in the folder `root`. */
export function buildsCompared(root: string): readonly Scenario[] {
  const other = buildIn(root);
  const own = buildIn(undefined);
  return [getEcho, postEcho].flatMap((comparison) =>
    (['embedded', 'separate'] as const).map((kind) => {
      const [ours, theirs] = [own[kind], other[kind]];
      const name = `${comparison.name}, ${kind}`;
      const targets = [{ contender: ours.name, against: theirs.name, want: 1 }];
      const title = `${comparison.title}: ${kind}`;
      const pair = { ...comparison, name, contenders: [ours, theirs], reference: theirs.name, targets };
      return { name, title, run: (context: Context) => compareHttp(pair, context) };
    }),
  );
}

const contenders = [embedded, separate, expressDefault];

export const checkedScenarios: readonly Scenario[] = [
  ...[getEcho, postEcho].map((comparison) => ({
    name: comparison.name,
    title: comparison.title,
    run: (context: Context) => compareHttp({ ...comparison, contenders }, context),
  })),
  routerScenario(64, 1, rivals),
  routerScenario(512, 2, rivals),
];
