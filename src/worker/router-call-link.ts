/** The calls of handlers over a worker's connection to one router. */
import type { CallParent } from '../core/messages/calls.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import type { RequestMessage } from '../core/messages/message.ts';
import type { DealerLink } from '../transport/link/dealer-link.ts';
import type { HelloAnswer } from './hello-answer.ts';
import type { CallLink } from './worker-calls.ts';

export class RouterCallLink implements CallLink {
  constructor(
    private readonly link: DealerLink,
    private readonly helloAnswer: HelloAnswer,
    private readonly connection: { readonly connected: boolean },
  ) {}

  get endpoint(): string {
    return this.link.endpoint;
  }

  get connected(): boolean {
    return this.connection.connected;
  }

  get takesCalls(): boolean {
    return this.connected && this.helloAnswer.takesCalls;
  }

  get takesCallStreams(): boolean {
    return this.connected && this.helloAnswer.takesCallStreams;
  }

  sendCall(id: number, generation: number, message: RequestMessage, parent: CallParent): void {
    this.link.channel.addCall(id, generation, message, parent);
  }

  // The next connection knows nothing of the calls on a lost one.

  cancelCall(id: number, generation: number, why: CancelReason): void {
    if (this.connected) this.link.channel.addCancel(id, generation, why);
  }

  sendCallChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    if (this.connected) this.link.channel.addChunk(id, generation, body, end);
  }

  grantCall(id: number, generation: number, bytes: number): void {
    if (this.connected) this.link.channel.addCallWindow(id, generation, bytes);
  }
}
