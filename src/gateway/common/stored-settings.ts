/** The settings of stored requests. */

/** What the store of a gateway keeps, and for how long. */
export interface StoredSettings {
  /**
   * How long an ended request is kept, in milliseconds. A retry in this time gets the stored reply.
   *
   * @defaultValue 86,400,000 (24 hours)
   */
  readonly retention: number;
  /**
   * Maximum size of a stored reply, in bytes. A larger one is sent, but not stored: a retry gets 410.
   *
   * @defaultValue 1,048,576 (1 MiB)
   */
  readonly result: number;
  /**
   * Maximum stored requests, ended ones included. The gateway rejects more with 503.
   *
   * @defaultValue 10,000,000
   */
  readonly requests: number;
  /**
   * Maximum stored requests of each caller; all callers without authentication count as one. The
   * gateway rejects more with 429.
   *
   * @defaultValue 1,000,000
   */
  readonly requestsPerCaller: number;
  /**
   * Maximum size of all stored data and replies, in bytes. The gateway rejects more with 503.
   *
   * @defaultValue 10,737,418,240 (10 GiB)
   */
  readonly bytes: number;
  /**
   * Maximum size of the stored data and replies of each caller, in bytes. The gateway rejects more
   * with 429.
   *
   * @defaultValue 1,073,741,824 (1 GiB)
   */
  readonly bytesPerCaller: number;
}
