/** Replies of classic nodes that are not JSON: the json module of Python writes NaN. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReplyMessage } from '../../src/core/messages/message.ts';
import { ZeroMQClient } from '../../src/index.ts';
import { ClassicRouter, ClassicServer, ClassicWorker, NEEDS_CLASSIC } from '../helpers/classic.ts';
import { within } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';

failOnLeftovers();

const ANY = 'tcp://127.0.0.1:0';

/** Resolves with the reply as a gateway receives it. */
function replyTo(client: ZeroMQClient, eventName: string): Promise<ReplyMessage> {
  const request = { eventName, body: Buffer.from('{}'), timeout: PATIENCE, idempotent: false };
  return within(new Promise((resolve) => void client.request(request, resolve)), `the reply to ${eventName}`);
}

async function server(scope: Scope): Promise<string> {
  return (await ClassicServer.start(scope, ANY)).endpoint;
}

async function router(scope: Scope): Promise<string> {
  const { frontend, backend } = await ClassicRouter.start(scope, ANY, ANY);
  await ClassicWorker.start(scope, backend);
  return frontend;
}

describe('invalid JSON from classic nodes', NEEDS_CLASSIC, () => {
  for (const [what, start, classic] of [
    ['server', server, false],
    ['server that is used like a router', server, true],
    ['router', router, true],
  ] as const) {
    for (const event of ['nan', 'broken-json']) {
      it(`reply that is not JSON: becomes BAD_REPLY (${event} from a ${what})`, async (t) => {
        const scope = scopeOf(t);
        const client = new ZeroMQClient({ ...PATIENT, connection: await start(scope), classic });
        scope.after(() => client.close());
        const { status, code, dispatched } = await replyTo(client, event);
        assert.deepEqual([status, code, dispatched], [502, 'BAD_REPLY', true]);
        const echo = await replyTo(client, 'echo');
        assert.deepEqual([echo.status, echo.code, String(echo.body)], [200, '', '{}']);
      });
    }
  }
});
