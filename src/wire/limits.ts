/** Bounds of the wire; what exceeds them is malformed. */

/** Longest event name, in bytes of UTF-8. */
export const MAX_EVENT_NAME = 1024;

/** Most frames before the delimiter, the peer's identity not counted. */
export const MAX_ENVELOPE = 8;

/** Largest metadata frame and largest extras, in bytes. */
export const MAX_METADATA = 64 * 1024 - 1;

/** Longest request id, in bytes. */
export const MAX_REQUEST_ID = 255;

/** Bodies of at least this many bytes travel in a frame of their own, uncopied (docs/protocol/index.md). */
export const OWN_FRAME_BYTES = 16 * 1024;

/** A batch is closed when its records reach this many bytes. */
export const MAX_BATCH_BYTES = 256 * 1024;

/** Largest first frame of a packed message that is read: a full batch and its last record fit twice over. */
export const MAX_HEAD_BYTES = 1024 * 1024;

/** Default limit on one ZeroMQ message (ZMQ_MAXMSGSIZE), in bytes. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
