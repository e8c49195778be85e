/** The heartbeat options of real sockets, compared with the times in docs/liveness.md. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Dealer, Router } from 'zeromq';
import { setHeartbeatOptions } from '../../../../src/transport/libzmq/heartbeat-options.ts';
import { failOnLeftovers } from '../../../helpers/leftovers.ts';
import { scopeOf } from '../../../helpers/scope.ts';

failOnLeftovers();

/** Maximum time until both sides detect a dead connection, in ms. */
const DETECTION_TIME = 10_000;

for (const Socket of [Dealer, Router]) {
  describe(`heartbeat options of a ${Socket.name}`, () => {
    it(`heartbeat options: detect a dead peer within 10 s on both sides (${Socket.name})`, (t) => {
      const socket = new Socket();
      scopeOf(t).after(() => socket.close());
      setHeartbeatOptions(socket, 'often');
      const { heartbeatInterval, heartbeatTimeout, heartbeatTimeToLive, tcpMaxRetransmitTimeout } = socket;
      assert.ok(heartbeatInterval > 0, 'the socket pings');
      assert.ok(heartbeatInterval + heartbeatTimeout <= DETECTION_TIME, 'the side that pings');
      assert.ok(heartbeatTimeToLive <= DETECTION_TIME, 'the side that is pinged');
      assert.ok(heartbeatTimeToLive > heartbeatInterval, 'a peer that is pinged in time stays connected');
      assert.equal(tcpMaxRetransmitTimeout, 0, 'a peer that reads slowly stays connected');
    });

    it(`heartbeat options: rely on TCP and rare pings for peers that send regularly (${Socket.name})`, (t) => {
      const socket = new Socket();
      scopeOf(t).after(() => socket.close());
      setHeartbeatOptions(socket, 'seldom');
      const { heartbeatInterval, heartbeatTimeout, heartbeatTimeToLive, tcpMaxRetransmitTimeout } = socket;
      assert.ok(heartbeatInterval >= 60_000, 'pings of a thousand connections are rare');
      assert.ok(heartbeatInterval + heartbeatTimeout <= 65_000, 'a dead connection is closed nevertheless');
      assert.ok(heartbeatTimeToLive > heartbeatInterval, 'a peer that is pinged in time stays connected');
      assert.ok(
        tcpMaxRetransmitTimeout > 0 && tcpMaxRetransmitTimeout <= DETECTION_TIME,
        'unacknowledged data closes the connection',
      );
    });
  });
}
