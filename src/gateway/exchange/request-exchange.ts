/** The gateway's own operations on asynchronous requests, which it answers itself. */
import type { InFlight, OutgoingRequest, ReplyMessage, Requester } from '../../core/messages/message.ts';
import { WITHOUT_STREAM } from '../../core/messages/stream.ts';
import { REQUEST_EVENTS } from '../../openapi/model/own-events.ts';
import { httpProblem, type Problem } from '../common/problem.ts';
import type { RequestQuery, ResultAnswer } from '../context/durable-requests.ts';
import { appliedPreferences, readPreferences } from '../requests/prefer.ts';
import { notFound } from '../requests/request-pages.ts';
import { sendStored } from '../response/stored-reply.ts';
import type { Route } from '../routing/route.ts';
import { HookedExchange } from './hooked-exchange.ts';
import { StreamExchange } from './stream-exchange.ts';

/** State, result or cancellation of an asynchronous request. */
export class RequestExchange extends HookedExchange {
  protected override request(outgoing: OutgoingRequest): InFlight {
    const waiting = new AbortController();
    this.sent = false;
    this.serve(outgoing, waiting.signal).catch((error: unknown) => this.failInternally(error));
    return { ...WITHOUT_STREAM, cancel: () => waiting.abort() };
  }

  /** Preconditions of a cancellation concern the state. */
  override async requestCurrent(_route: Route, outgoing: OutgoingRequest): Promise<ReplyMessage | Problem> {
    const answer = await this.answer(REQUEST_EVENTS.show, outgoing, new AbortController().signal);
    return 'result' in answer ? notFound() : answer;
  }

  private async serve(outgoing: OutgoingRequest, signal: AbortSignal): Promise<void> {
    const answer = await this.answer(outgoing.eventName, outgoing, signal);
    if (this.settled) return;
    if ('title' in answer) this.fail(answer);
    else if ('result' in answer) {
      this.settled = true;
      const { wait } = readPreferences(this.preferField);
      const applied = appliedPreferences({ respondAsync: false, wait });
      const more = applied === undefined ? [] : ['Preference-Applied', applied];
      this.publish(sendStored(this, answer.result, more), answer.code, false);
    } else this.onReply(answer);
  }

  private async answer(
    eventName: string,
    { body, extras }: OutgoingRequest,
    signal: AbortSignal,
  ): Promise<ReplyMessage | ResultAnswer | Problem> {
    const pages = this.gateway.requests?.pages;
    if (pages === undefined) return notFound();
    const { id } = JSON.parse(String(body)) as { id: string };
    const { wait } = readPreferences(this.preferField);
    const query: RequestQuery = { id, caller: extras?.caller?.id ?? '', wait, signal };
    try {
      if (eventName === REQUEST_EVENTS.cancel) return await pages.cancel(query);
      return await (eventName === REQUEST_EVENTS.result ? pages.result(query) : pages.show(query));
    } catch {
      return httpProblem('STORE_UNAVAILABLE', 'The gateway cannot read the request now.');
    }
  }

  private get preferField(): string | undefined {
    return this.req.headers['prefer'] as string | undefined;
  }
}

const PROBLEMS: Readonly<Record<string, () => Problem>> = {
  REQUEST_NOT_FOUND: notFound,
  STORE_UNAVAILABLE: () => httpProblem('STORE_UNAVAILABLE', 'The gateway cannot read the request now.'),
};

/** The states of an asynchronous request as server-sent events. */
export class RequestEventsExchange extends StreamExchange {
  protected override get requester(): Requester {
    return this.gateway.requests?.events ?? super.requester;
  }

  protected override deliver(reply: ReplyMessage): void {
    const problem = PROBLEMS[reply.code];
    if (problem === undefined) super.deliver(reply);
    else this.fail(problem());
  }
}
