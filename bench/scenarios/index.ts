/** All scenarios in the order of the page. Each has a file of its own. */
import type { Scenario } from '../lib/scenario.ts';
import { documents } from './documents.ts';
import { durableScenarios } from './durable.ts';
import { httpScenarios } from './http.ts';
import { idleScenarios } from './idle.ts';
import { idleConnections } from './idle-connections.ts';
import { processScenarios } from './processes.ts';
import { queueScenarios } from './queue.ts';
import { replyScenarios } from './replies.ts';
import { routerScenarios } from './router.ts';
import { scalingScenarios } from './scaling.ts';
import { streamScenarios } from './streams.ts';

export const scenarios: readonly Scenario[] = [
  ...httpScenarios,
  ...routerScenarios,
  ...replyScenarios,
  ...scalingScenarios,
  documents,
  ...queueScenarios,
  ...idleScenarios,
  idleConnections,
  ...processScenarios,
  ...streamScenarios,
  ...durableScenarios,
];
