/** Metrics of the stores of gateways. */
import { family, type Sample } from './family.ts';

/** The store of a gateway, as the metrics see it. */
export interface StoreView {
  readonly statistics:
    | {
        readonly states: Readonly<Record<string, number>>;
        readonly bytes: number;
        /** In ms. */
        readonly oldest: number | undefined;
      }
    | undefined;
  readonly keys: ReadonlyMap<string, number>;
}

/** The metrics of the stores. Gateways with the same store report the same numbers. */
export function storeFamilies(gateways: ReadonlySet<{ readonly store?: StoreView | undefined }>) {
  const statistics = (): NonNullable<StoreView['statistics']>[] =>
    [...gateways].flatMap(({ store }) => store?.statistics ?? []);
  return [
    family('stored_requests', () => statesOf(statistics())),
    family('stored_bytes', () => largest(statistics().map(({ bytes }) => bytes))),
    family('stored_oldest_seconds', () => largest(statistics().map(({ oldest = 0 }) => oldest / 1000))),
    family('idempotency_keys_total', () => keysOf(gateways)),
  ];
}

function* statesOf(all: readonly NonNullable<StoreView['statistics']>[]): IterableIterator<Sample> {
  const counts = new Map<string, number>();
  for (const { states } of all) {
    for (const [state, count] of Object.entries(states))
      counts.set(state, Math.max(count, counts.get(state) ?? 0));
  }
  for (const [state, count] of counts) yield [{ state }, count];
}

function largest(values: readonly number[]): Sample[] {
  return values.length === 0 ? [] : [[{}, Math.max(...values)]];
}

function* keysOf(
  gateways: ReadonlySet<{ readonly store?: StoreView | undefined }>,
): IterableIterator<Sample> {
  const counts = new Map<string, number>();
  for (const { store } of gateways) {
    for (const [result, count] of store?.keys ?? []) counts.set(result, (counts.get(result) ?? 0) + count);
  }
  for (const [result, count] of counts) yield [{ result }, count];
}
