/** Options and intervals of a worker's connection to a router. */
import type { NodeIdentity } from '../core/identity/identity.ts';
import type { DealerLinkOptions } from '../transport/link/dealer-link.ts';
import type { Hello } from '../wire/control.ts';

/** Options of a link. */
export interface RouterLinkOptions
  extends Pick<DealerLinkOptions, 'connection' | 'maxMessageSize' | 'speaker' | 'curve'> {
  readonly identity: NodeIdentity;
  /** What the hello says of the worker, besides its share of the concurrency. */
  readonly hello: Omit<Hello, 'connection' | 'concurrency' | 'node' | 'refused'>;
}

/** Backoff of a refused worker that announces itself again, in milliseconds. The cause, such as an older contract, may be gone by then. */
export const ASK_AGAIN = { min: 500, initial: 1000, max: 30_000 } as const;
