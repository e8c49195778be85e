/** Queues messages for a bare zeromq.js socket, which accepts one at a time. */
import type { Dealer, Router } from 'zeromq';

export class Sender {
  private waiting: Buffer[][] = [];
  private sending = false;

  constructor(private readonly socket: Dealer | Router) {}

  send(frames: Buffer[]): void {
    this.waiting.push(frames);
    if (!this.sending) void this.sendAll();
  }

  private async sendAll(): Promise<void> {
    this.sending = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      for (const frames of batch) await this.socket.send(frames);
    }
    this.sending = false;
  }
}
