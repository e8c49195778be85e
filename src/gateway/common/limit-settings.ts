/** The settings of the gateway's limits. */

/** The limits of a gateway. */
export interface LimitSettings {
  /**
   * Maximum operation requests in flight. The gateway rejects more with 503.
   *
   * @defaultValue 10,000
   */
  readonly inFlight: number;
  /**
   * Maximum pipelined requests of one connection in flight, at most half of `inFlight`. More wait.
   *
   * @defaultValue 64
   */
  readonly pipelined: number;
  /**
   * Maximum size of a request body in bytes, before and after decompression. The gateway rejects
   * larger ones with 413.
   *
   * @defaultValue 1,048,576 (1 MiB)
   */
  readonly body: number;
  /**
   * Maximum size of all request bodies that are being read, in bytes. The gateway rejects more with
   * 503.
   *
   * @defaultValue 268,435,456 (256 MiB)
   */
  readonly buffered: number;
  /**
   * Maximum size of request line and headers, in bytes. The gateway rejects larger ones with 431.
   *
   * @defaultValue 16,384 (16 KiB)
   */
  readonly headers: number;
  /**
   * Maximum levels of nesting in a JSON body. The gateway rejects deeper ones with 400.
   *
   * @defaultValue 100
   */
  readonly depth: number;
  /**
   * Maximum requests in flight of operations with streams. The gateway rejects more with 503. They
   * do not count towards `inFlight`.
   *
   * @defaultValue 10,000
   */
  readonly streams: number;
  /**
   * Maximum of these for each caller: by the id of the authenticated caller, or else by the address
   * of the client.
   *
   * @defaultValue 100
   */
  readonly streamsPerCaller: number;
  /**
   * Maximum size of a request body that is sent as a stream, in bytes, before and after
   * decompression; 0 for no limit. The document can set lower ones with `x-upload-limits`. The
   * gateway rejects larger ones with 413.
   *
   * @defaultValue 1,073,741,824 (1 GiB)
   */
  readonly upload: number;
}
