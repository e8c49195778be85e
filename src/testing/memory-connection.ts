/** A connection in memory: two streams, each of which reads what the other one writes. */
import { Duplex } from 'node:stream';

class MemorySocket extends Duplex {
  /** Address of the client, as a socket has it. */
  readonly remoteAddress = '127.0.0.1';
  private peer: MemorySocket | undefined;
  /** Reports that the written bytes were read. */
  private onRead: (() => void) | undefined;

  /** Creates a connection and returns its two ends. */
  static pair(): [MemorySocket, MemorySocket] {
    const [one, other] = [new MemorySocket(), new MemorySocket()];
    one.peer = other;
    other.peer = one;
    return [one, other];
  }

  override _read(): void {
    const { onRead } = this;
    this.onRead = undefined;
    onRead?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const { peer } = this;
    if (peer === undefined || peer.destroyed) return done();
    if (chunk.length === 0) return void process.nextTick(done);
    peer.onRead = done;
    peer.push(chunk);
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { peer } = this;
    // The peer of a TCP socket notices as well.
    if (peer !== undefined && !peer.destroyed) process.nextTick(() => peer.destroy());
    done(error);
  }

  // Methods of a socket that the HTTP client and server call.

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  destroySoon(): void {
    if (this.writableFinished) this.destroy();
    else this.end(() => this.destroy());
  }
}

/**
 * Creates a connection in memory.
 *
 * @returns the ends of client and server.
 */
export function memoryConnection(): [client: Duplex, server: Duplex] {
  return MemorySocket.pair();
}
