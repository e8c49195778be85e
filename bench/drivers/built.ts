/** Imports from `dist/`, so that the benchmarks measure the code that is published. */

/** Imports a module of `dist/`. `M` is the type of the same module in `src/`. */
export async function built<M>(path: string): Promise<M> {
  return (await import(new URL(`../../dist/${path}.js`, import.meta.url).href)) as M;
}
