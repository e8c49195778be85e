/**
 * What was asked, what was answered and what was run, held against each other: the outcome table as a checker. Workers
 * write a line for each execution; see `LEDGER_WORKER`.
 */
import { existsSync, readFileSync } from 'node:fs';

/** How a request ended for whoever asked. */
export interface Ended {
  /** Empty: well. */
  readonly code: string;
  /** Whether a worker may have run it. */
  readonly dispatched: boolean;
}

interface Entry {
  readonly idempotent: boolean;
  readonly ended: Ended[];
}

export class Ledger {
  private readonly entries = new Map<string, Entry>();

  /** @param file where workers write. */
  constructor(readonly file: string) {}

  asked(id: string, idempotent: boolean): void {
    this.entries.set(id, { idempotent, ended: [] });
  }

  ended(id: string, ended: Ended): void {
    this.entries.get(id)?.ended.push(ended);
  }

  get size(): number {
    return this.entries.size;
  }

  /** How many requests ended with each code; `ok` for none. */
  outcomes(idempotent: boolean): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const entry of this.entries.values()) {
      if (entry.idempotent !== idempotent) continue;
      for (const { code } of entry.ended) counts[code || 'ok'] = (counts[code || 'ok'] ?? 0) + 1;
    }
    return counts;
  }

  /** Everything that breaks the table, a line each; empty when all is as it should be. */
  violations(): string[] {
    const runs = this.runs();
    const unasked = [...runs.keys()].filter((id) => !this.entries.has(id));
    const found = unasked.map((id) => `${id}: nobody asked for it, and it was run`);
    for (const [id, entry] of this.entries) {
      const fault = faultOf(entry, runs.get(id) ?? 0);
      if (fault !== undefined) found.push(`${id}: ${fault}, ${JSON.stringify(entry.ended)}`);
    }
    return found;
  }

  private runs(): Map<string, number> {
    const runs = new Map<string, number>();
    const text = existsSync(this.file) ? readFileSync(this.file, 'utf8') : '';
    for (const id of text.split('\n')) if (id !== '') runs.set(id, (runs.get(id) ?? 0) + 1);
    return runs;
  }
}

function faultOf({ idempotent, ended }: Entry, runs: number): string | undefined {
  const [end, ...more] = ended;
  if (end === undefined || more.length > 0) return `settled ${ended.length} times`;
  if (!idempotent && runs > 1) return `must not be repeated, and was run ${runs} times`;
  if (end.code === '' && runs === 0) return 'ended well and was never run';
  if (end.code !== '' && !end.dispatched && runs > 0)
    return `said not to have run, and was run ${runs} times`;
  return undefined;
}

/** A worker that writes the id of what it runs into the file that LEDGER names, and takes a moment for it. */
export const LEDGER_WORKER = `
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineWorker } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
const run = async ({ id }) => {
  appendFileSync(process.env.LEDGER, id + '\\n');
  await delay(5);
  return { id };
};
export default defineWorker({ handlers: { read: run, write: run } });
`;

/** Its operations: one may be repeated, the other must not. */
export const LEDGER_DOCUMENT = `
openapi: 3.1.0
info: { title: Ledger, version: 1.0.0 }
paths:
  /read/{id}:
    get:
      x-event-name: read
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { "200": { description: Run, perhaps more than once } }
  /write:
    post:
      x-event-name: write
      requestBody:
        content:
          application/json:
            schema: { type: object, properties: { id: { type: string } } }
      responses: { "200": { description: Run once } }
`;
