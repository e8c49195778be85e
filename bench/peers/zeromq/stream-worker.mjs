/** Pushes the chunks of express-streams.mjs for ever, as fast as the high-water mark allows. */
import { Push } from 'zeromq';
import { ready } from '../ready.mjs';

const CHUNK = Buffer.alloc(64 * 1024, 'x');

const socket = new Push({ sendHighWaterMark: 16 });
socket.connect(process.env.PEER_FRONTEND);
ready();
for (;;) await socket.send(CHUNK);
