/**
 * The wires that the drivers speak, each with as little work around it as can be: `bare` frames for libzmq's proxy,
 * `classic` and `packed` for our router; and `framework`, the public classes.
 */

/**
 * The client's side: sends a request; `done` is called once with its reply. Slots are reused, never at once. `timeout` in ms,
 * where the wire has one.
 */
interface ClientWire {
  request(slot: number, eventName: string, body: Buffer, timeout: number, done: (ok: boolean) => void): void;
}

/** What a worker answers a request with, now or later. */
type Answer = (body: Buffer, reply: (body: Buffer) => void) => void;

/** One side of each. */
export interface Wire {
  connectClient(endpoint: string): ClientWire;
  /** Connects a worker that serves the events, or any when there are none, so many at a time. */
  connectWorker(endpoint: string, answer: Answer, events: readonly string[], concurrency: number): void;
}
