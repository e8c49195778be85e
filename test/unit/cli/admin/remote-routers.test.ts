/** How a gateway's admin listener handles the replies of remote routers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RemoteRouters } from '../../../../src/cli/admin/remote-routers.ts';
import { ZeroMQClientError } from '../../../../src/core/messages/errors.ts';
import type { ZeroMQReply } from '../../../../src/index.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

/** A client whose router returns the given reply or rejects with a code. */
class FakeClient {
  readonly asked: string[] = [];
  workers: object[] = [];
  code: string | undefined;

  sendMessage<Data>(eventName: string): Promise<ZeroMQReply<Data>> {
    this.asked.push(eventName);
    if (this.code !== undefined) return Promise.reject(new ZeroMQClientError(this.code, 'said so'));
    return Promise.resolve({ eventData: { workers: this.workers } } as ZeroMQReply<Data>);
  }
}

function setUp() {
  const clock = new FakeClock();
  const [one, two] = [new FakeClient(), new FakeClient()];
  const clients = new Map([
    ['tcp://one', one],
    ['tcp://two', two],
  ]);
  const contracts = {
    contractsOf: () => [{ name: 'echo', available: true }],
    fragment: () => undefined,
    complete: true,
  };
  return { clock, one, two, remote: new RemoteRouters({ clients, contracts }, clock) };
}

describe('remote routers', () => {
  it('are queried again only after a delay if they reject the key', async () => {
    const { clock, one, two, remote } = setUp();
    one.code = 'NOT_PERMITTED';
    for (let look = 0; look < 3; look += 1) {
      const { routers, unavailable } = await remote.query();
      assert.equal(routers.length, 1);
      const contracts = [{ name: 'echo', available: true }];
      assert.deepEqual(unavailable, [{ router: 'tcp://one', reason: 'NOT_PERMITTED: said so', contracts }]);
    }
    assert.deepEqual([one.asked.length, two.asked.length], [2, 6]);
    clock.advance(15_000);
    one.code = undefined;
    assert.equal((await remote.query()).routers.length, 2);
  });

  it('are queried each time while unreachable, and their workers do not count as departed', async () => {
    const { one, remote } = setUp();
    one.workers = [{ id: 'a', inFlight: 2 }];
    await remote.query();
    one.code = 'NO_ROUTER';
    const { unavailable, departed } = await remote.query();
    assert.deepEqual([unavailable[0]?.reason, departed], ['NO_ROUTER: said so', []]);
    one.code = undefined;
    assert.deepEqual((await remote.query()).departed, []);
    one.workers = [];
    const gone = (await remote.query()).departed.map(({ id, held }) => [id, held]);
    assert.deepEqual(gone, [['a', 2]]);
    assert.deepEqual((await remote.query()).departed, []);
  });

  it('apply an action if at least one of them can', async () => {
    const { one, two, remote } = setUp();
    assert.equal(await remote.drainWorker('a', true), 'done');
    one.code = 'INVALID_REQUEST';
    assert.equal(await remote.pauseEvent('a', true), 'done');
    two.code = 'NOT_PERMITTED';
    const refused = { status: 403, detail: 'tcp://two: NOT_PERMITTED: said so' };
    assert.deepEqual(await remote.drainWorker('a', true), refused);
    two.code = 'INVALID_REQUEST';
    assert.equal(await remote.drainWorker('a', true), 'unknown');
  });
});
