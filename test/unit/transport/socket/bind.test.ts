import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toConnection } from '../../../../src/transport/addressing/connection.ts';
import { type Bindable, bindSocket } from '../../../../src/transport/socket/bind.ts';

/** A socket whose binds fail with these codes in turn, then with the last one; undefined is a success. */
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
      return Promise.reject(Object.assign(new Error(`error ${code}`), { code }));
    },
  };
}

const ADDRESS = toConnection('tcp://127.0.0.1:5555');
const isClosed = () => false;

describe('bindSocket', () => {
  it('bindSocket: retries briefly while an address is in use', async () => {
    const socket = scripted('EADDRINUSE', 'EADDRINUSE', undefined);
    const bound = await bindSocket(socket, ADDRESS, isClosed);
    assert.deepEqual([bound, socket.attempts], [{ endpoint: 'tcp://127.0.0.1:5555', file: undefined }, 3]);
  });

  it('bindSocket: retries to get the real error if zeromq.js reports a spurious one', async () => {
    for (const code of ['EADDRINUSE', 'EADDRNOTAVAIL']) {
      await assert.rejects(bindSocket(scripted('EAGAIN', code, 'EAGAIN', code), ADDRESS, isClosed), {
        code,
        message: `cannot bind tcp://127.0.0.1:5555: error ${code}`,
      });
    }
  });

  it('bindSocket: stops retrying once the socket was closed', async () => {
    const socket = scripted('EADDRINUSE');
    await assert.rejects(
      bindSocket(socket, ADDRESS, () => true),
      { code: 'EADDRINUSE' },
    );
    assert.equal(socket.attempts, 1);
  });

  it('bindSocket: reports a name that is not an interface of this host', async () => {
    await assert.rejects(bindSocket(scripted('ENODEV'), toConnection('tcp://eth9:5555'), isClosed), {
      code: 'ENODEV',
      message:
        'cannot bind tcp://eth9:5555: eth9 is neither an IP address nor a network interface of this host',
    });
  });
});
