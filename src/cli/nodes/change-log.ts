/**
 * One line for each change of what a gateway serves: `+ stock: GET /stock/{sku}`, `- stock: …`, and
 * `! stock: no worker connected`. In a JSON log each is a message with its fields.
 */
import { printable } from '../../core/identity/worker-name.ts';
import type { Logger } from '../../core/logging/logging.ts';
import type { ApiRegistry, ApiSnapshot } from '../../openapi/index.ts';
import type { Painter } from '../terminal/colours.ts';

/** Operations that a line names; the rest is counted. */
const MAX_NAMED = 5;

/** A source with its operations, and whether a worker serves them. */
interface SourceState {
  readonly available: boolean;
  readonly operations: ReadonlySet<string>;
}

/** A change of one source. */
export interface SourceChange {
  readonly kind: 'added' | 'removed' | 'unavailable' | 'available';
  readonly source: string;
  readonly operations: readonly string[];
}

type State = ReadonlyMap<string, SourceState>;

/** The operations of a snapshot by source. */
export function stateOf({ operations }: Pick<ApiSnapshot, 'operations'>): State {
  const state = new Map<string, { available: boolean; operations: Set<string> }>();
  for (const { source, method, path, available } of operations) {
    const found = state.get(source) ?? { available, operations: new Set() };
    state.set(source, found);
    found.operations.add(`${method.toUpperCase()} ${path}`);
  }
  return state;
}

/** What changed between two states. */
export function changesBetween(before: State, after: State): SourceChange[] {
  const changes: SourceChange[] = [];
  for (const source of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(source), after.get(source)];
    const removed = [...(old?.operations ?? [])].filter((each) => now?.operations.has(each) !== true);
    const added = [...(now?.operations ?? [])].filter((each) => old?.operations.has(each) !== true);
    if (removed.length > 0) changes.push({ kind: 'removed', source, operations: removed });
    const isServed = now?.available !== false;
    if (added.length > 0)
      changes.push({ kind: isServed ? 'added' : 'unavailable', source, operations: added });
    if (old === undefined || now === undefined || old.available === now.available) continue;
    changes.push({
      kind: now.available ? 'available' : 'unavailable',
      source,
      operations: [...now.operations],
    });
  }
  return changes;
}

const MARKS = { added: '+', removed: '-', available: '+', unavailable: '!' } as const;
const COLOURS = { added: 'green', removed: 'red', available: 'green', unavailable: 'yellow' } as const;
const MESSAGES = {
  added: 'routes added',
  removed: 'routes removed',
  available: 'a worker serves the routes again',
  unavailable: 'no worker serves the routes: requests receive status 503',
} as const;

/** The line of a change. */
export function changeLine({ kind, source, operations }: SourceChange, paint: Painter): string {
  const named = operations.slice(0, MAX_NAMED).join(', ');
  const more = operations.length > MAX_NAMED ? `, ${operations.length - MAX_NAMED} more` : '';
  const note =
    kind === 'unavailable' ? 'no worker connected, ' : kind === 'available' ? 'a worker is connected, ' : '';
  const line = `${paint(COLOURS[kind], MARKS[kind])} ${source}: ${note}${named}${more}`;
  return printableLine(line, source + operations.join(''));
}

/** Escapes a line unless its texts are printable; the escapes of colours are its own. */
function printableLine(line: string, texts: string): string {
  return printable(texts) === texts ? line : printable(line);
}

/** Where changes are written. */
export interface ChangeLogTarget {
  readonly logger: Logger;
  /** Writes a line for people; undefined: changes go to the logger. */
  readonly write: ((line: string) => void) | undefined;
  readonly paint: Painter;
}

/** Writes a line for each change of a registry. Returns a function that stops it. */
export function logChanges(registry: ApiRegistry, { logger, write, paint }: ChangeLogTarget): () => void {
  let before = stateOf(registry.snapshot());
  const listener = (snapshot: ApiSnapshot): void => {
    const after = stateOf(snapshot);
    for (const change of changesBetween(before, after)) {
      const { kind, source, operations } = change;
      if (write !== undefined) write(changeLine(change, paint));
      else if (kind === 'unavailable') logger.warn({ source, operations }, MESSAGES[kind]);
      else logger.info({ source, operations }, MESSAGES[kind]);
    }
    before = after;
  };
  registry.on('change', listener);
  return () => registry.off('change', listener);
}
