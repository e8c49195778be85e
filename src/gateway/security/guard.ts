/** Who may call an operation: the security requirements of the document, enforced. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Caller } from '../../core/messages/message.ts';
import type { Problem } from '../common/problem.ts';

/** What credentials are looked for in. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  /** Raw query, without question mark. */
  readonly query: string;
  /** The request itself, for what is seldom asked for. */
  readonly req: Pick<IncomingMessage, 'headersDistinct' | 'socket'>;
}

/** A caller who may go on (undefined: nobody in particular), or why not. */
export type Admission = { readonly caller: Caller | undefined } | { readonly problem: Problem };

/** Decides who may call one operation. */
export interface Guard {
  /** Query names that carry credentials. */
  readonly queryNames: ReadonlySet<string>;
  admit(credentials: Credentials): Promise<Admission>;
}
