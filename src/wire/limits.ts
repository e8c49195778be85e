/** Limits of the wire formats; messages that exceed them are malformed. */

/** Maximum length of an event name, in bytes of UTF-8. */
export const MAX_EVENT_NAME = 1024;

/** Maximum number of frames before the delimiter, without the identity of the peer. */
export const MAX_ENVELOPE = 8;

/** Maximum size of the metadata frame and of extras, in bytes. */
export const MAX_METADATA = 64 * 1024 - 1;

/** Maximum length of a request id, in bytes. */
export const MAX_REQUEST_ID = 255;

/**
 * Bodies of at least this size travel uncopied in a frame of their own (docs/protocol/index.md).
 */
export const OWN_FRAME_BYTES = 16 * 1024;

/** A batch is complete when its records reach this many bytes. */
export const MAX_BATCH_BYTES = 256 * 1024;

/** Maximum size of the first frame of a packed message: twice a full batch with its last record. */
export const MAX_HEAD_BYTES = 1024 * 1024;

/** Default maximum size of a ZeroMQ message (ZMQ_MAXMSGSIZE), in bytes. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
