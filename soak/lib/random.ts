/** Random numbers from a seed: the same seed produces the same sequence. */
export interface Random {
  /** Returns a number from 0 to below 1. */
  next(): number;
  /** Returns a number from `min` to below `max`. */
  between(min: number, max: number): number;
  /** Returns one of the items. */
  pick<T>(from: readonly T[]): T;
}

/** Mulberry32: small, fast, and sufficient to choose faults. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (min, max) => min + next() * (max - min),
    pick<T>(from: readonly T[]): T {
      const one = from[Math.floor(next() * from.length)];
      if (one === undefined) throw new Error('nothing to pick from');
      return one;
    },
  };
}
