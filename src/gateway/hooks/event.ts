/** The event that `onEvent` sees. */
import { isReserved } from '../../core/messages/event-name.ts';
import type { OutgoingRequest } from '../../core/messages/message.ts';
import type { HookEvent } from '../common/hook-types.ts';
import { HookData } from './data.ts';

/** Maximum timeout that a hook can set, in ms: a day, as that of the settings. */
const MAX_TIMEOUT = 24 * 60 * 60 * 1000;

export class EventOfHooks implements HookEvent {
  name: string;
  timeout: number;
  idempotent: boolean;
  private readonly content: HookData;

  constructor(private readonly outgoing: OutgoingRequest) {
    this.name = outgoing.eventName;
    this.timeout = outgoing.timeout;
    this.idempotent = outgoing.idempotent;
    this.content = new HookData(outgoing.body);
  }

  get body(): Buffer {
    return this.content.body;
  }

  get data(): unknown {
    return this.content.read('');
  }

  set data(value: unknown) {
    this.content.write(value);
  }

  /**
   * The request to send.
   *
   * @throws {TypeError} when a hook has set a member to an invalid value.
   */
  get changed(): OutgoingRequest {
    const { name, timeout, idempotent } = this;
    if (typeof name !== 'string' || name === '' || isReserved(name)) {
      throw new TypeError(`onEvent: ${JSON.stringify(name)} is not a name of an event of workers`);
    }
    if (!(timeout >= 1 && timeout <= MAX_TIMEOUT)) {
      throw new TypeError(`onEvent: timeout must be 1 to ${MAX_TIMEOUT} ms, got ${String(timeout)}`);
    }
    return {
      ...this.outgoing,
      eventName: name,
      timeout: Math.ceil(timeout),
      idempotent: Boolean(idempotent),
      body: this.content.bytes(''),
    };
  }
}
