/**
 * exchange: the life of an HTTP request. `dispatcher.ts` selects its route, `exchange.ts` sends its
 * event and settles it once; the other exchanges add bodies, streams, keys and hooks.
 *
 * A request of an asynchronous operation (`x-async`). If its client prefers that (RFC 7240), or the
 * operation requires it, the request is stored, the response is 202, and the reply follows later.
 */
import type { InFlight, OutgoingRequest } from '../../core/messages/message.ts';
import { WITHOUT_STREAM } from '../../core/messages/stream.ts';
import type { StoredRequest } from '../../store/index.ts';
import { httpProblem, type Problem } from '../common/problem.ts';
import type { DurableRequests } from '../context/durable-requests.ts';
import { decideCreation } from '../idempotency/decision.ts';
import { fingerprintOf } from '../idempotency/fingerprint.ts';
import { appliedPreferences, type Preferences, readPreferences } from '../requests/prefer.ts';
import { sendStored } from '../response/stored-reply.ts';
import { KeyedExchange } from './keyed-exchange.ts';

/** A request of an asynchronous operation. */
export class AsyncExchange extends KeyedExchange {
  private preferences: Preferences | undefined;

  protected override get isDeferred(): boolean {
    const { gateway, req, route } = this;
    if (route.operation.async === 'required') return true;
    // Most requests have no preference, and need not be parsed for one.
    if (req.headers['prefer'] === undefined) return false;
    return gateway.requests !== undefined && req.method !== 'HEAD' && this.preferred.respondAsync;
  }

  protected override request(outgoing: OutgoingRequest): InFlight {
    if (!this.isDeferred) return super.request(outgoing);
    // Most callers do not wait.
    const waiting = this.preferred.wait === undefined ? undefined : new AbortController();
    this.defer(outgoing, waiting?.signal).catch((error: unknown) => this.failInternally(error));
    // The client has disconnected: the stored request goes on.
    return { ...WITHOUT_STREAM, cancel: () => waiting?.abort() };
  }

  private get preferred(): Preferences {
    // Node.js joins several fields with commas.
    this.preferences ??= readPreferences(this.req.headers['prefer'] as string | undefined);
    return this.preferences;
  }

  /** Stores the request and responds. */
  private async defer(outgoing: OutgoingRequest, signal: AbortSignal | undefined): Promise<void> {
    const { requests } = this.gateway;
    if (requests === undefined) {
      this.fail(unavailable('The gateway has no store; set store to use asynchronous requests.'));
      return;
    }
    const accepted = await this.accepted(requests, outgoing);
    if (accepted === undefined || this.settled) return;
    const { wait } = this.preferred;
    if (
      wait !== undefined &&
      signal !== undefined &&
      (await this.answerWithin(requests, accepted, wait, signal))
    )
      return;
    if (!this.settled) this.answerLater(requests, accepted);
  }

  /** The stored request, or the former one with its key; undefined if the client has the problem. */
  private async accepted(
    requests: DurableRequests,
    outgoing: OutgoingRequest,
  ): Promise<StoredRequest | undefined> {
    const { key } = this;
    const { operation } = this.route;
    try {
      const sent =
        key === undefined ? outgoing : { ...outgoing, extras: { ...outgoing.extras, idempotencyKey: key } };
      const creation = await requests.accept({ operation, outgoing: sent, key });
      if (creation.outcome === 'created') return creation.request;
      const fingerprint = fingerprintOf(outgoing.body);
      if (creation.outcome === 'existing' && creation.request.fingerprint.equals(fingerprint)) {
        this.extraHeaders.push('Idempotency-Replayed', 'true');
        return creation.request;
      }
      const decision = decideCreation(creation, fingerprint);
      if (decision.action === 'reject') this.fail(decision.problem);
    } catch {
      this.fail(unavailable('The gateway cannot store the request now.'));
    }
    return undefined;
  }

  /** Responds with the reply, if it arrives in time (RFC 7240, 4.3). Returns whether it did. */
  private async answerWithin(
    { pages }: DurableRequests,
    { id, caller }: StoredRequest,
    wait: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const answer = await pages.result({ id, caller, wait, signal }).catch(() => undefined);
    if (this.settled) return true;
    if (answer === undefined) return false;
    if (!('result' in answer)) {
      if (answer.code === 'REQUEST_RUNNING') return false;
      this.fail(answer);
      return true;
    }
    this.settled = true;
    const status = sendStored(this, answer.result, ['Preference-Applied', `wait=${wait}`]);
    this.publish(status, answer.code, true);
    return true;
  }

  private answerLater({ pages, path }: DurableRequests, request: StoredRequest): void {
    const applied = appliedPreferences(this.preferred);
    const headers = {
      location: `${path}/${request.id}`,
      ...(applied === undefined ? {} : { 'preference-applied': applied }),
    };
    this.onReply(pages.statusReply(request, 202, headers));
  }
}

function unavailable(detail: string): Problem {
  return { ...httpProblem('STORE_UNAVAILABLE', detail), dispatched: false };
}
