/** A worker whose protocol messages a test sends by hand. */
import assert from 'node:assert/strict';
import { controlFrames, type Hello } from '../../src/wire/control.ts';
import { isPacked, readPacked } from '../../src/wire/packed.ts';
import { rawDealer, texts } from '../helpers/raw.ts';
import type { Scope } from '../helpers/scope.ts';

/** A worker with `hello`, `answer` and `request` in place of an event loop. */
export class RawWorker {
  readonly socket;
  private readonly got: { id: number; generation: number; eventName: string }[] = [];

  constructor(scope: Scope, backend: string, identity?: string) {
    this.socket = rawDealer(scope, backend, identity);
  }

  async hello(members: Partial<Hello> = {}): Promise<string> {
    await this.socket.send(
      controlFrames('$hello', { v: 1, pack: 1, concurrency: 4, events: ['hold'], ...members }),
    );
    return this.answer();
  }

  /** Returns the name of the next control message. */
  async answer(): Promise<string> {
    return texts(await this.socket.receive())[2] ?? '';
  }

  /** Returns the next request. Fails if another message arrives. */
  async request(): Promise<{ id: number; generation: number; eventName: string }> {
    while (this.got.length === 0) {
      const frames = await this.socket.receive();
      assert.ok(frames[0] !== undefined && isPacked(frames[0]), `not packed: ${texts(frames).join('|')}`);
      readPacked(frames, 0, {
        packedRequest: (id, generation, { eventName }) => this.got.push({ id, generation, eventName }),
        packedReply: () => assert.fail('a router sends no replies'),
        packedCancel: () => undefined,
      });
    }
    return this.got.shift() ?? assert.fail();
  }
}
