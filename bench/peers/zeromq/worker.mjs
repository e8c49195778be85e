/** A worker behind the proxy on a bare Reply socket: one request at a time, no validation. */
import { Reply } from 'zeromq';
import { ready } from '../ready.mjs';

const socket = new Reply();
socket.connect(process.env.PEER_BACKEND);
ready();
for await (const [eventName, json] of socket) {
  const { message } = JSON.parse(json.toString());
  await socket.send([eventName, JSON.stringify({ message })]);
}
