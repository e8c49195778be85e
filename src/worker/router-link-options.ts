/** Options and intervals of a worker's connection to a router. */
import type { NodeIdentity } from '../core/identity/identity.ts';
import type { DealerLinkOptions } from '../transport/link/dealer-link.ts';
import type { Hello } from '../wire/control.ts';

/** Options of a link to a router. */
export interface RouterLinkOptions
  extends Pick<DealerLinkOptions, 'connection' | 'maxMessageSize' | 'source' | 'curve'> {
  readonly identity: NodeIdentity;
  /** The announcement in the hello, besides the worker's share of the concurrency. */
  readonly hello: Omit<Hello, 'connection' | 'concurrency' | 'node' | 'refused'>;
}

/**
 * Backoff of a rejected worker before it announces itself again, in milliseconds. The cause, such
 * as an older contract, may be gone by then.
 */
export const HELLO_BACKOFF = { min: 500, initial: 1000, max: 30_000 } as const;
