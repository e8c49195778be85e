/**
 * Packed records over a message port. Large batches are transferred without a copy. Small ones
 * travel as Latin-1 text, which costs a port half as much as a buffer, and the garbage collector far
 * less.
 */
import { RecordSender } from '../../transport/link/record-sender.ts';
import { noteFrames } from '../../transport/socket/frame-gc.ts';
import { type PackedSink, readPacked } from '../../wire/packed.ts';
import { PackedBatch } from '../../wire/packed-batch.ts';

/** The part of a message port that is needed here. */
export interface PostTarget {
  postMessage(value: unknown, transfer?: readonly ArrayBuffer[]): void;
}

/** Records as they are posted. */
export type PostedRecords = Uint8Array | string;

/** Batches smaller than this many bytes travel as text. */
const TEXT_BELOW = 1024;

export class PackedPort extends RecordSender {
  constructor(
    private readonly target: PostTarget,
    private readonly sink: PackedSink,
  ) {
    super(new PackedBatch(true), Infinity);
  }

  protected sendBatch(): void {
    const small = this.batch.bytes < TEXT_BELOW;
    const [bytes] = this.batch.take(!small);
    if (bytes === undefined) return;
    if (small) this.target.postMessage(bytes.toString('latin1'));
    else this.target.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
  }

  /** Handles records that the other side posted. */
  received(posted: PostedRecords): void {
    const frames = [
      typeof posted === 'string'
        ? Buffer.from(posted, 'latin1')
        : Buffer.from(posted.buffer, posted.byteOffset, posted.byteLength),
    ];
    if (typeof posted !== 'string') noteFrames(frames);
    readPacked(frames, 0, this.sink, Infinity);
  }
}
