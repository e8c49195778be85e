/**
 * The wires that the drivers support, each with minimal overhead: `bare` frames for libzmq's proxy,
 * `classic` and `packed` for the product's router, and `framework`, the public classes.
 */

/**
 * The client side. Sends a request and calls `done` once with its reply. Slots are reused, but not
 * immediately. `timeout` is in milliseconds and only applies to wires that support it.
 */
interface ClientWire {
  request(slot: number, eventName: string, body: Buffer, timeout: number, done: (ok: boolean) => void): void;
}

/** How a worker replies to a request, immediately or later. */
type Answer = (body: Buffer, reply: (body: Buffer) => void) => void;

/** Both sides of a wire. */
export interface Wire {
  connectClient(endpoint: string): ClientWire;
  /**
   * Connects a worker with this concurrency. It serves the given events, or all events if none are
   * given.
   */
  connectWorker(endpoint: string, answer: Answer, events: readonly string[], concurrency: number): void;
}
