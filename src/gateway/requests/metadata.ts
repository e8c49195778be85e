/** What is stored beside the event data, so that another gateway can run the request. */
import type { RequestExtras } from '../../core/messages/message.ts';

/** Metadata of an asynchronous request. */
export interface RequestMetadata {
  /** Method and path of the operation, such as `POST /reports`. */
  readonly operation: string;
  /** Id of the HTTP request, for logs. */
  readonly requestId: string;
  readonly extras: RequestExtras | undefined;
}

export function encodeMetadata(metadata: RequestMetadata): Buffer {
  return Buffer.from(JSON.stringify(metadata));
}

export function decodeMetadata(bytes: Buffer): RequestMetadata {
  return JSON.parse(String(bytes)) as RequestMetadata;
}
