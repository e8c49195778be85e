/**
 * Invalid messages from a router or server to a client. They are dropped and counted, and the
 * client's requests continue.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Router } from 'zeromq';
import type { DropCause } from '../../src/core/observability/diagnostics.ts';
import { ZeroMQClient } from '../../src/index.ts';
import { encodeToken } from '../../src/wire/token.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { type Frame, rawRouter } from '../helpers/raw.ts';
import { Scope } from '../helpers/scope.ts';
import { NO_UTF8, packed } from './bad-input-cases.ts';

failOnLeftovers();

const BAD_REPLIES: readonly { what: string; frames: Frame[]; cause: DropCause }[] = [
  { what: 'an empty frame', frames: [''], cause: 'too-few-frames' },
  { what: 'one frame', frames: ['x'], cause: 'too-few-frames' },
  { what: 'a reply without a token', frames: ['', 'echo', '{}'], cause: 'unknown-token' },
  { what: 'a reply without a delimiter', frames: ['echo', '{}'], cause: 'unknown-token' },
  { what: 'a token that is too short', frames: ['T', '', 'echo', '{}'], cause: 'unknown-token' },
  { what: 'a forged token', frames: [encodeToken(0, 12_345), '', 'echo', '{}'], cause: 'unknown-token' },
  {
    what: 'a name that is not UTF-8',
    frames: [encodeToken(0, 1), '', NO_UTF8, '{}'],
    cause: 'bad-event-name',
  },
  { what: '10,000 frames', frames: Array.from({ length: 10_000 }, () => 'x'), cause: 'too-many-frames' },
];

describe('client', () => {
  const scope = new Scope();
  let router: Router;
  let client: ZeroMQClient;
  let drops: Drops;

  before(async () => {
    drops = new Drops(scope);
    const raw = await rawRouter(scope);
    router = raw.socket;
    client = new ZeroMQClient({ ...PATIENT, connection: raw.endpoint });
    scope.after(() => client.close());
    await client.connect({ throwOnFailure: true, timeout: PATIENCE });
  });
  after(() => scope.close());

  /** Returns the envelope and name of the client's next request. */
  const nextRequest = async () => (await router.receive()).slice(0, 4);
  const goodRequest = async () => {
    const reply = client.sendMessage('echo', {});
    await router.send([...(await nextRequest()), '{"good":1}']);
    assert.deepEqual((await reply).eventData, { good: 1 });
  };

  for (const { what, frames, cause } of BAD_REPLIES) {
    it(`client: drops ${what}`, async () => {
      const reply = client.sendMessage('echo', {});
      const request = await nextRequest();
      const before = drops.count(cause);
      await router.send([client.identity.identity, ...frames]);
      await drops.waitFor(cause, before + 1);
      await router.send([...request, '{"good":1}']);
      assert.deepEqual((await reply).eventData, { good: 1 });
    });
  }

  it('client: drops a second reply to a request', async () => {
    const reply = client.sendMessage('echo', {});
    const request = await nextRequest();
    const before = drops.count('late-reply');
    await router.send([...request, '1']);
    await router.send([...request, '2']);
    assert.equal((await reply).eventData, 1);
    await drops.waitFor('late-reply', before + 1);
    await goodRequest();
  });

  it('client: drops a reply that arrives after the timeout', async () => {
    const reply = client.sendMessage('echo', {}, { timeout: 50 });
    const request = await nextRequest();
    await assert.rejects(reply, { code: 'TIMEOUT' });
    const before = drops.count('late-reply');
    await router.send([...request, '1']);
    await drops.waitFor('late-reply', before + 1);
    await goodRequest();
  });

  it('client: reports a reply that is not JSON, and continues', async () => {
    const reply = client.sendMessage('echo', {});
    await router.send([...(await nextRequest()), '{"broken']);
    await assert.rejects(reply, { code: 'BAD_REPLY' });
    await goodRequest();
  });

  it('client: treats a reply with invalid metadata as a failure, and counts it', async () => {
    const before = drops.count('bad-metadata');
    const reply = client.sendMessage('echo', {});
    await router.send([...(await nextRequest()), '{}', '{"status":"fine"}']);
    await assert.rejects(reply, { code: 'BAD_REPLY', dispatched: true });
    await drops.waitFor('bad-metadata', before + 1);
    await goodRequest();
  });

  it('client: disconnects a router that sends 64 MiB, fails the requests in flight, and reconnects', async () => {
    const reply = client.sendMessage('echo', {});
    await router.send([...(await nextRequest()), Buffer.alloc(64 * 1024 * 1024, 0x20)]);
    await assert.rejects(reply, { code: 'WORKER_LOST', dispatched: true });
    await goodRequest();
  });

  // This comes last: a client that received a packed message sends packed ones.
  it('client: drops packed garbage', async () => {
    const before = drops.count('bad-batch');
    const reply = client.sendMessage('echo', {});
    const request = await nextRequest();
    await router.send([request[0] ?? '', packed(7, 7, 7)]);
    await drops.waitFor('bad-batch', before + 1);
    await router.send([...request, '{}']);
    await reply;
  });
});
