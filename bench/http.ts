/**
 * `npm run bench:http`: measures the cost of the gateway over HTTP against a default Express app
 * and two tuned ones, and how the cost grows with the size of the document. Prints the results and
 * writes no files.
 */
import { findLoadTool } from './lib/load.ts';
import type { Effort } from './lib/measure.ts';
import { readOptions } from './lib/options.ts';
import { expressDefault, expressTuned, expressTunedAsOurs } from './lib/peers.ts';
import { textOf } from './lib/report.ts';
import { embedded, separate } from './lib/zeromq-gateway.ts';
import { documents } from './scenarios/documents.ts';
import { compareHttp, getEcho, postEcho } from './scenarios/http.ts';
import { routes } from './scenarios/scaling.ts';

const DEFAULTS: Effort = { rounds: 5, seconds: 3, warmup: 3 };

const { effort } = readOptions(DEFAULTS);
const load = findLoadTool();
if (load === undefined) throw new Error('no load tool: install wrk, or run npm ci in bench/peers');
const context = { effort, load, log: () => undefined };
const contenders = [embedded, separate, expressDefault, expressTuned, expressTunedAsOurs];
for (const comparison of [getEcho, postEcho]) {
  console.log(textOf(await compareHttp({ ...comparison, contenders }, context)));
}
for (const scenario of [routes, documents]) console.log(textOf(await scenario.run(context)));
