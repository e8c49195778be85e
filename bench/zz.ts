import { mkdtempSync } from 'node:fs';
import { CONTENDERS, copyOf } from './workbench/contenders.ts';
import { reloads, testTime } from './workbench/measure.ts';
const t = mkdtempSync('/tmp/wb-');
for (const c of CONTENDERS.slice(1)) {
  const f = copyOf(c, t);
  try { console.log(c.name, testTime(c, f)); } catch (e) { console.log(String(e).slice(0, 3000)); }
  try { console.log(c.name, await reloads(c, f, 2)); } catch (e) { console.log(String(e).slice(0, 3000)); }
}
