/**
 * The comparisons that `npm run bench:check` repeats. Their peers need no separate installation.
 */

import { expressDefault } from '../lib/peers.ts';
import type { Scenario } from '../lib/scenario.ts';
import { embedded, separate } from '../lib/zeromq-gateway.ts';
import { compareHttp, getEcho, postEcho } from './http.ts';
import { rivals, routerScenario } from './router.ts';

const contenders = [embedded, separate, expressDefault];

export const checkedScenarios: readonly Scenario[] = [
  ...[getEcho, postEcho].map((comparison) => ({
    name: comparison.name,
    title: comparison.title,
    run: (context: Parameters<Scenario['run']>[0]) => compareHttp({ ...comparison, contenders }, context),
  })),
  routerScenario(64, 1, rivals),
  routerScenario(512, 2, rivals),
];
