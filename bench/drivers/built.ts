/** The built product: what is measured is what is shipped. */

/** A module of `dist/`; `M` is the type of the same module of `src/`. */
export async function built<M>(path: string): Promise<M> {
  return (await import(new URL(`../../dist/${path}.js`, import.meta.url).href)) as M;
}
