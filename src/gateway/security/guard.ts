/** The interface of guards, which enforce the security requirements of operations. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Caller } from '../../core/messages/message.ts';
import type { Problem } from '../common/problem.ts';

/** The parts of a request that may contain credentials. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  /** Raw query, without question mark. */
  readonly query: string;
  /** The request, for rarely used parts. */
  readonly req: Pick<IncomingMessage, 'headersDistinct' | 'socket'>;
}

/** The admitted caller, undefined if it is not known, or the problem. */
export type Admission = { readonly caller: Caller | undefined } | { readonly problem: Problem };

/** Decides whether a caller may call one operation. */
export interface Guard {
  /** Names of query parameters that contain credentials. */
  readonly queryNames: ReadonlySet<string>;
  admit(credentials: Credentials): Promise<Admission>;
}
