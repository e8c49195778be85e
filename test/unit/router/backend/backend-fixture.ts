/** A backend with a fake clock, and peers that connect to it. */
import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { Dealer } from 'zeromq';
import { type Logger, silentLogger } from '../../../../src/core/logging/logging.ts';
import { Backend } from '../../../../src/router/backend/backend.ts';
import { ClassicEvents, type ClassicEventsOption } from '../../../../src/router/backend/classic-events.ts';
import { AnnouncedContracts } from '../../../../src/router/backend/contracts.ts';
import { Broker } from '../../../../src/router/broker/broker.ts';
import { type ClientLimits, resolveClientLimits } from '../../../../src/router/broker/client-limits.ts';
import { toConnection } from '../../../../src/transport/addressing/connection.ts';
import { turnNow } from '../../../../src/transport/link/turn.ts';
import { controlFrames } from '../../../../src/wire/control.ts';
import { Drops } from '../../../helpers/drops.ts';
import { emissions, eventually } from '../../../helpers/eventually.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { rawDealer } from '../../../helpers/raw.ts';
import type { Scope } from '../../../helpers/scope.ts';

/** Hello timeout of the backend, in milliseconds. */
const HELLO_TIMEOUT = 100;
export const HELLO = controlFrames('$hello', { v: 1, pack: 1, concurrency: 4, events: ['mine'] });

interface FixtureOptions {
  readonly classicEvents?: ClassicEventsOption;
  readonly logger?: Logger;
  readonly contracts?: AnnouncedContracts;
  readonly clientLimits?: ClientLimits;
}

export class BackendFixture {
  readonly clock = new FakeClock();
  readonly broker = new Broker({ startupGrace: 0 }, turnNow());
  readonly contracts: AnnouncedContracts;
  /** Workers that joined and left, with the reason, in order. */
  readonly notices: string[] = [];
  readonly drops: Drops;
  readonly backend: Backend;
  private readonly activity = new EventEmitter();
  private activityCount = 0;

  private constructor(
    private readonly scope: Scope,
    { classicEvents, logger = silentLogger, contracts, clientLimits }: FixtureOptions,
  ) {
    this.drops = new Drops(scope);
    this.contracts = contracts ?? new AnnouncedContracts(undefined);
    const addNotice = (notice: string): void => {
      this.notices.push(notice);
    };
    this.backend = new Backend(
      {
        identity: 'router',
        maxMessageSize: 1_000_000,
        source: { kind: 'router', node: 'router' },
        logger,
        classicConcurrency: 1,
        classicEvents: new ClassicEvents(classicEvents),
        clientLimits: resolveClientLimits(clientLimits),
        helloTimeout: HELLO_TIMEOUT,
        contracts: this.contracts,
        clock: this.clock,
      },
      this.broker,
      {
        workerJoined: ({ key, native }) => addNotice(`${key} joined${native ? '' : ' as classic'}`),
        workerLeft: ({ key }, reason) => addNotice(`${key} left: ${reason}`),
        peerActive: () => undefined,
        rearmTimer: () => {
          this.activityCount += 1;
          this.activity.emit('active');
        },
      },
    );
    scope.after(() => this.backend.close());
  }

  static async start(
    scope: Scope,
    options: FixtureOptions = {},
  ): Promise<{ fixture: BackendFixture; endpoint: string }> {
    const fixture = new BackendFixture(scope, options);
    return { fixture, endpoint: await fixture.backend.bind(toConnection('tcp://127.0.0.1:0')) };
  }

  /** Resolves when `check` is true after an activity of the backend. */
  waitFor(check: () => boolean, what: string): Promise<boolean> {
    return eventually(emissions(this.activity, 'active'), check, what);
  }

  /** Calls `act` and resolves after the next activity of the backend. */
  async perform(act: () => void): Promise<void> {
    const { activityCount } = this;
    act();
    await this.waitFor(() => this.activityCount > activityCount, 'a message at the backend');
  }

  /** Advances the clock beyond the hello timeout. */
  async passHelloTimeout(): Promise<void> {
    await this.clock.advanceAsync(HELLO_TIMEOUT + 50);
    await turn();
  }

  /** Resolves when the next peer connects. */
  nextConnection(): Promise<void> {
    const { activityCount } = this;
    return this.waitFor(() => this.activityCount > activityCount, 'a connection').then(() => undefined);
  }

  /** Connects a peer and resolves when the backend waits for its hello. */
  async connect(endpoint: string, identity: string): Promise<Dealer> {
    const timers = this.clock.pending;
    const socket = rawDealer(this.scope, endpoint, identity);
    await this.waitFor(() => this.clock.pending > timers, 'a connection');
    return socket;
  }
}

/** A hello with a contract of one operation at `path`, whose description has `bytes` bytes. */
export function helloWith(path: string, bytes = 0, event = 'mine') {
  const get = { 'x-event-name': event, description: 'x'.repeat(bytes) };
  const contract = { name: 'c', fragment: { paths: { [path]: { get } } } };
  return controlFrames('$hello', { v: 1, pack: 1, concurrency: 4, events: ['mine'], contract });
}
