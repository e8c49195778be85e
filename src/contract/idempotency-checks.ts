/** Which operations can have idempotency keys. */

/** Methods that are not idempotent (RFC 9110, 9.2.2), whose retries need a key. */
const WITH_KEY = ['post', 'patch'];

/**
 * Returns why an operation cannot have idempotency keys; undefined if it can.
 *
 * @param streams whether its body or a reply is a stream.
 */
export function checkKeyUse(method: string, streams: boolean): string | undefined {
  if (!WITH_KEY.includes(method.toLowerCase())) {
    return `applies to POST and PATCH; requests with ${method.toUpperCase()} can be repeated without a key (RFC 9110, 9.2.2)`;
  }
  return streams ? 'cannot be combined with streams, which are not stored' : undefined;
}
