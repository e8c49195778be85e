/**
 * The classic frames of protocol.md on bare zeromq.js sockets, with a slot before the delimiter.
 */
import { Dealer } from 'zeromq';
import { Sender } from './sender.ts';
import type { Wire } from './wire.ts';

const EMPTY = Buffer.alloc(0);

export const classic: Wire = {
  connectClient(endpoint) {
    const socket = new Dealer();
    socket.connect(endpoint);
    const sender = new Sender(socket);
    const waiting: ((ok: boolean) => void)[] = [];
    void (async () => {
      for await (const [head, , , body] of socket) {
        if (head !== undefined) waiting[head.readUInt32LE(0)]?.(!isError(body));
      }
    })();
    return {
      request(slot, eventName, body, _timeout, done) {
        waiting[slot] = done;
        const head = Buffer.allocUnsafe(4);
        head.writeUInt32LE(slot, 0);
        sender.send([head, EMPTY, Buffer.from(eventName), body]);
      },
    };
  },

  connectWorker(endpoint, answer) {
    const socket = new Dealer();
    socket.connect(endpoint);
    const sender = new Sender(socket);
    void (async () => {
      for await (const [client, delimiter, name, body] of socket) {
        if (client === undefined || delimiter === undefined || name === undefined || body === undefined)
          continue;
        answer(body, (reply) => sender.send([client, delimiter, name, reply]));
      }
    })();
  },
};

const ERROR = Buffer.from('{"error":');

function isError(body: Buffer | undefined): boolean {
  return body === undefined || body.subarray(0, ERROR.length).equals(ERROR);
}
