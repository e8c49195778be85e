/**
 * The simplest router with zeromq.js: forwards frames, one message at a time, and has no other
 * features.
 */
import { Dealer, Router } from 'zeromq';
import { serve } from './serve.ts';
import { Sender } from './wires/sender.ts';

const frontend = new Router();
const backend = new Dealer();
await frontend.bind('tcp://127.0.0.1:*');
await backend.bind('tcp://127.0.0.1:*');

async function pass(from: Router | Dealer, to: Router | Dealer): Promise<void> {
  const sender = new Sender(to);
  for await (const frames of from) sender.send(frames);
}

void pass(frontend, backend);
void pass(backend, frontend);

serve(JSON.stringify({ frontend: frontend.lastEndpoint, backend: backend.lastEndpoint }), () =>
  Promise.resolve(),
);
