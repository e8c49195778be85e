/** What a router or server should not send to a client: dropped and counted; the client's requests go on. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Router } from 'zeromq';
import type { DropCause } from '../../src/core/observability/diagnostics.ts';
import { ZeroMQClient } from '../../src/index.ts';
import { encodeToken } from '../../src/wire/token.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { type Frame, rawRouter } from '../helpers/raw.ts';
import { Scope } from '../helpers/scope.ts';
import { NO_UTF8, packed } from './bad-input-cases.ts';

failOnLeftovers();

const BAD_REPLIES: readonly { what: string; frames: Frame[]; cause: DropCause }[] = [
  { what: 'an empty frame', frames: [''], cause: 'too-few-frames' },
  { what: 'one frame', frames: ['x'], cause: 'too-few-frames' },
  { what: 'a reply without token', frames: ['', 'echo', '{}'], cause: 'unknown-token' },
  { what: 'a reply without delimiter', frames: ['echo', '{}'], cause: 'unknown-token' },
  { what: 'a token too short', frames: ['T', '', 'echo', '{}'], cause: 'unknown-token' },
  { what: 'a forged token', frames: [encodeToken(0, 12_345), '', 'echo', '{}'], cause: 'unknown-token' },
  {
    what: 'a name that is no UTF-8',
    frames: [encodeToken(0, 1), '', NO_UTF8, '{}'],
    cause: 'bad-event-name',
  },
  { what: '10,000 frames', frames: Array.from({ length: 10_000 }, () => 'x'), cause: 'too-many-frames' },
];

describe('a client', () => {
  const scope = new Scope();
  let router: Router;
  let client: ZeroMQClient;
  let drops: Drops;

  before(async () => {
    drops = new Drops(scope);
    const raw = await rawRouter(scope);
    router = raw.socket;
    client = new ZeroMQClient({ connection: raw.endpoint });
    scope.after(() => client.close());
    await client.connect({ throwOnFailure: true });
  });
  after(() => scope.close());

  /** The envelope and name of the client's next request. */
  const nextRequest = async () => (await router.receive()).slice(0, 4);
  const goodRequest = async () => {
    const reply = client.sendMessage('echo', {});
    await router.send([...(await nextRequest()), '{"good":1}']);
    assert.deepEqual((await reply).eventData, { good: 1 });
  };

  for (const { what, frames, cause } of BAD_REPLIES) {
    it(`drops ${what}`, async () => {
      const reply = client.sendMessage('echo', {});
      const request = await nextRequest();
      const before = drops.count(cause);
      await router.send([client.identity.identity, ...frames]);
      await drops.waitFor(cause, before + 1);
      await router.send([...request, '{"good":1}']);
      assert.deepEqual((await reply).eventData, { good: 1 });
    });
  }

  it('drops a second reply to one request', async () => {
    const reply = client.sendMessage('echo', {});
    const request = await nextRequest();
    const before = drops.count('late-reply');
    await router.send([...request, '1']);
    await router.send([...request, '2']);
    assert.equal((await reply).eventData, 1);
    await drops.waitFor('late-reply', before + 1);
    await goodRequest();
  });

  it('drops a reply that comes after its timeout', async () => {
    const reply = client.sendMessage('echo', {}, { timeout: 50 });
    const request = await nextRequest();
    await assert.rejects(reply, { code: 'TIMEOUT' });
    const before = drops.count('late-reply');
    await router.send([...request, '1']);
    await drops.waitFor('late-reply', before + 1);
    await goodRequest();
  });

  it('names a reply that is no JSON, and goes on', async () => {
    const reply = client.sendMessage('echo', {});
    await router.send([...(await nextRequest()), '{"broken']);
    await assert.rejects(reply, { code: 'BAD_REPLY' });
    await goodRequest();
  });

  it('takes a reply with broken metadata for a failure, and counts it', async () => {
    const before = drops.count('bad-metadata');
    const reply = client.sendMessage('echo', {});
    await router.send([...(await nextRequest()), '{}', '{"status":"fine"}']);
    await assert.rejects(reply, { code: 'BAD_REPLY', dispatched: true });
    await drops.waitFor('bad-metadata', before + 1);
    await goodRequest();
  });

  it('cuts a router that sends 64 MiB; what was under way is told so, and it comes back', async () => {
    const reply = client.sendMessage('echo', {});
    await router.send([...(await nextRequest()), Buffer.alloc(64 * 1024 * 1024, 0x20)]);
    await assert.rejects(reply, { code: 'WORKER_LOST', dispatched: true });
    await goodRequest();
  });

  // The last one: whoever sends it a packed message gets packed ones back.
  it('drops packed garbage', async () => {
    const before = drops.count('bad-batch');
    const reply = client.sendMessage('echo', {});
    const request = await nextRequest();
    await router.send([request[0] ?? '', packed(7, 7, 7)]);
    await drops.waitFor('bad-batch', before + 1);
    await router.send([...request, '{}']);
    await reply;
  });
});
