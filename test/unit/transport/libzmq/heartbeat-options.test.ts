/** What libzmq is told about dead connections, read back from real sockets, held against what docs/liveness.md promises. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Dealer, Router } from 'zeromq';
import { setHeartbeatOptions } from '../../../../src/transport/libzmq/heartbeat-options.ts';
import { failOnLeftovers } from '../../../helpers/leftovers.ts';
import { scopeOf } from '../../../helpers/scope.ts';

failOnLeftovers();

/** Within which a dead connection is found, by whoever asks and by whoever is asked; ms. */
const PROMISED = 10_000;

for (const Socket of [Dealer, Router]) {
  describe(`a ${Socket.name} that is kept alive`, () => {
    it('finds a dead peer in the promised time, and so does a peer that only answers', (t) => {
      const socket = new Socket();
      scopeOf(t).after(() => socket.close());
      setHeartbeatOptions(socket, 'often');
      const { heartbeatInterval, heartbeatTimeout, heartbeatTimeToLive, tcpMaxRetransmitTimeout } = socket;
      assert.ok(heartbeatInterval > 0, 'it asks by itself');
      assert.ok(heartbeatInterval + heartbeatTimeout <= PROMISED, 'the asking side');
      assert.ok(heartbeatTimeToLive <= PROMISED, 'the side that is asked');
      assert.ok(heartbeatTimeToLive > heartbeatInterval, 'who is asked in time stays');
      assert.equal(tcpMaxRetransmitTimeout, 0, 'a peer that is slow to read stays');
    });

    it('leaves it to the system, and to rare questions, where something is sent anyway', (t) => {
      const socket = new Socket();
      scopeOf(t).after(() => socket.close());
      setHeartbeatOptions(socket, 'seldom');
      const { heartbeatInterval, heartbeatTimeout, heartbeatTimeToLive, tcpMaxRetransmitTimeout } = socket;
      assert.ok(heartbeatInterval >= 60_000, 'a thousand connections cost next to nothing');
      assert.ok(heartbeatInterval + heartbeatTimeout <= 65_000, 'a dead one goes all the same');
      assert.ok(heartbeatTimeToLive > heartbeatInterval, 'who is asked in time stays');
      assert.ok(tcpMaxRetransmitTimeout > 0 && tcpMaxRetransmitTimeout <= PROMISED, 'what was sent and lost');
    });
  });
}
