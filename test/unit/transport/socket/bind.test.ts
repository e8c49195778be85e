import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toConnection } from '../../../../src/transport/addressing/connection.ts';
import { type Bindable, bindSocket } from '../../../../src/transport/socket/bind.ts';

/** A socket whose binds end with these codes, the last one again and again; undefined is a success. */
function scripted(...codes: (string | undefined)[]): Bindable & { readonly attempts: number } {
  let attempts = 0;
  return {
    lastEndpoint: 'tcp://127.0.0.1:5555',
    get attempts() {
      return attempts;
    },
    bind: () => {
      const code = codes[Math.min(attempts, codes.length - 1)];
      attempts += 1;
      if (code === undefined) return Promise.resolve();
      return Promise.reject(Object.assign(new Error(`libzmq says ${code}`), { code }));
    },
  };
}

const ADDRESS = toConnection('tcp://127.0.0.1:5555');
const wanted = () => false;

describe('a bind', () => {
  it('waits a moment for an address that is in use', async () => {
    const socket = scripted('EADDRINUSE', 'EADDRINUSE', undefined);
    const bound = await bindSocket(socket, ADDRESS, wanted);
    assert.deepEqual([bound, socket.attempts], [{ endpoint: 'tcp://127.0.0.1:5555', file: undefined }, 3]);
  });

  it('tells what is wrong, where zeromq.js does not at once', async () => {
    for (const code of ['EADDRINUSE', 'EADDRNOTAVAIL']) {
      await assert.rejects(bindSocket(scripted('EAGAIN', code, 'EAGAIN', code), ADDRESS, wanted), {
        code,
        message: `cannot bind tcp://127.0.0.1:5555: libzmq says ${code}`,
      });
    }
  });

  it('is tried no more for a socket that nobody wants', async () => {
    const socket = scripted('EADDRINUSE');
    await assert.rejects(
      bindSocket(socket, ADDRESS, () => true),
      { code: 'EADDRINUSE' },
    );
    assert.equal(socket.attempts, 1);
  });

  it('of a name says that it is none of this host', async () => {
    await assert.rejects(bindSocket(scripted('ENODEV'), toConnection('tcp://eth9:5555'), wanted), {
      code: 'ENODEV',
      message:
        'cannot bind tcp://eth9:5555: eth9 is neither an IP address nor a network interface of this host',
    });
  });
});
