/** Codecs: a batch of requests and replies, classic and packed. */
import type * as MessageModule from '../../src/core/messages/message.ts';
import type * as ClassicModule from '../../src/wire/classic.ts';
import type * as PackedModule from '../../src/wire/packed.ts';
import type * as PackedBatchModule from '../../src/wire/packed-batch.ts';
import { built } from '../drivers/built.ts';
import type { MicroSuite } from './task.ts';

type RequestMessage = MessageModule.RequestMessage;

const TURN = 64;
const ENVELOPE = [Buffer.from('client'), Buffer.alloc(0)];

/** The requests that a busy client sends in one turn of the event loop. */
function requests(noBytes: Buffer): RequestMessage[] {
  return Array.from({ length: TURN }, (_, index) => ({
    eventName: 'echo.get',
    body: Buffer.from(JSON.stringify({ message: `hello ${index}` })),
    timeLeft: 5000,
    idempotent: true,
    requestId: `request-${index}`,
    extras: noBytes,
  }));
}

/** Encodes and decodes a batch of requests in both formats. */
export async function codecSuite(): Promise<MicroSuite> {
  const { NO_BYTES } = await built<typeof MessageModule>('core/messages/message');
  const classic = await built<typeof ClassicModule>('wire/classic');
  const { readPacked } = await built<typeof PackedModule>('wire/packed');
  const { PackedBatch } = await built<typeof PackedBatchModule>('wire/packed-batch');

  const messages = requests(NO_BYTES);
  const batch = new PackedBatch();
  let seen = 0;
  const sink = {
    packedRequest: () => (seen += 1),
    packedReply: () => undefined,
    packedCancel: () => undefined,
  };
  const encodePacked = (): Buffer[] => {
    for (const [index, message] of messages.entries()) batch.addRequest(index, 1, message);
    return batch.take();
  };
  const encodeClassic = (): Buffer[][] =>
    messages.map((message) => [...ENVELOPE, ...classic.requestFrames(message, true)]);
  const decodeClassic = (frames: readonly Buffer[]): void => {
    const read = classic.readClassic(frames, 0);
    if (!('eventName' in read)) throw new Error('a classic message was not read');
    classic.toRequest(read);
    seen += 1;
  };
  const onePacked = encodePacked();
  const manyClassic = encodeClassic();
  return {
    title: `Codec, ${TURN} requests a turn`,
    tasks: [
      { name: 'encode, classic frames with metadata', units: TURN, run: () => void encodeClassic() },
      { name: 'encode, packed', units: TURN, run: () => void encodePacked() },
      {
        name: 'decode, classic frames with metadata',
        units: TURN,
        run: () => manyClassic.forEach(decodeClassic),
      },
      {
        name: 'decode, packed',
        units: TURN,
        run() {
          const before = seen;
          if (!readPacked(onePacked, 0, sink) || seen - before !== TURN)
            throw new Error('a batch was not read');
        },
      },
    ],
  };
}
