/** An exchange of a gateway with hooks. */
import { NO_BYTES, type OutgoingRequest, type ReplyMessage } from '../../core/messages/message.ts';
import type { Hook, HookLists } from '../common/hooks.ts';
import type { Problem } from '../common/problem.ts';
import { EventOfHooks } from '../hooks/event.ts';
import { isSendable, ProblemOfHooks, problemOfError, problemOfThrown } from '../hooks/problem.ts';
import { ReplyOfHooks, replyOfAnswer } from '../hooks/reply.ts';
import { RequestOfHooks } from '../hooks/request.ts';
import { logFailure, runHooks } from '../hooks/run.ts';
import type { Route } from '../routing/route.ts';
import { Exchange } from './exchange.ts';

/** Time for `onProblem` when the shutdown deadline has passed, in ms: connections close soon. */
const LAST_MOMENT = 20;

/** An operation request that passes through hooks. Each hook sees it once at most. */
export class HookedExchange extends Exchange {
  private readonly hooks: HookLists;
  private readonly view: RequestOfHooks;
  private hasSeenReply = false;
  private hasSeenProblem = false;
  /** Responds with the problem that `onProblem` sees now. */
  private respond: (() => void) | undefined;

  constructor(hooks: HookLists, ...args: ConstructorParameters<typeof Exchange>) {
    super(...args);
    this.hooks = hooks;
    this.view = this.viewOf(this.route);
  }

  override abort(): void {
    const { respond } = this;
    if (respond === undefined) {
      super.abort();
      return;
    }
    this.respond = undefined;
    respond();
  }

  protected override enter(): void {
    const { onRequest } = this.hooks;
    if (onRequest.length === 0) super.enter();
    else {
      void this.follow('onRequest', onRequest, [this.view], () => {
        this.caller = this.view.caller;
        super.enter();
      });
    }
  }

  protected override dispatch(outgoing: OutgoingRequest): void {
    const { onEvent } = this.hooks;
    if (onEvent.length === 0) {
      super.dispatch(outgoing);
      return;
    }
    this.view.caller = this.caller;
    const event = new EventOfHooks(outgoing);
    void this.follow('onEvent', onEvent, [event, this.view], () => {
      this.caller = this.view.caller;
      const changed = withCaller(event.changed, this.view);
      this.attempt(() => super.dispatch(changed));
    });
  }

  protected override receive(reply: ReplyMessage): void {
    const { onReply } = this.hooks;
    if (reply.code !== '' || this.hasSeenReply || onReply.length === 0) {
      super.receive(reply);
      return;
    }
    this.hasSeenReply = true;
    this.view.caller = this.caller;
    // Of a stream, hooks see the head only.
    const seen = new ReplyOfHooks(reply.more ? { ...reply, body: NO_BYTES } : reply, reply.dispatched);
    void this.follow('onReply', onReply, [seen, this.view], () => super.receive(seen.changed));
  }

  protected override finish(problem: Problem, reply: ReplyMessage | undefined): void {
    if (this.hasSeenProblem || this.hooks.onProblem.length === 0) {
      super.finish(problem, reply);
      return;
    }
    this.hasSeenProblem = true;
    this.view.caller = this.caller;
    this.respond = () => super.finish(problem, reply);
    void this.showProblem(problem, reply);
  }

  protected override abandon(): void {
    if (this.respond !== undefined) {
      this.respond = undefined;
      this.publish(499, 'CANCELLED', this.sent);
    } else super.abandon();
  }

  /** The hooks see the GET request of preconditions as a request of its own. */
  override async requestCurrent(route: Route, outgoing: OutgoingRequest): Promise<ReplyMessage | Problem> {
    const { onEvent, onReply } = this.hooks;
    const view = this.viewOf(route);
    Object.assign(view.state, this.view.state);
    view.caller = outgoing.extras?.caller;
    let hook: keyof HookLists = 'onEvent';
    try {
      const event = new EventOfHooks(outgoing);
      const answer = await runHooks(hook, onEvent, [event, view], route.timeout);
      const reply =
        answer === undefined
          ? await super.requestCurrent(route, withCaller(event.changed, view))
          : replyOfAnswer(answer);
      if ('title' in reply || reply.code !== '') return reply;
      hook = 'onReply';
      const seen = new ReplyOfHooks(reply, reply.dispatched);
      const other = await runHooks(hook, onReply, [seen, view], route.timeout);
      return other === undefined ? seen.changed : replyOfAnswer(other);
    } catch (error) {
      this.log(hook, error);
      return problemOfThrown(error, this.sent);
    }
  }

  private viewOf({ operation }: Route): RequestOfHooks {
    const { requestId, req, res, gateway } = this;
    const { eventName, method, path, operationId } = operation;
    const shown = { eventName, method: method.toUpperCase(), path, operationId };
    return new RequestOfHooks({ requestId, req, res, operation: shown, log: gateway.logger });
  }

  /** Runs hooks, and responds with their answer or continues. */
  private async follow<Args extends readonly unknown[]>(
    hook: keyof HookLists,
    hooks: readonly Hook<Args>[],
    args: Args,
    proceed: () => void,
  ): Promise<void> {
    try {
      const answer = await runHooks(hook, hooks, args, this.route.timeout);
      if (this.settled) return;
      if (answer === undefined) proceed();
      else this.receive(replyOfAnswer(answer));
    } catch (error) {
      this.log(hook, error);
      this.fail(problemOfThrown(error, this.sent));
    }
  }

  private log(hook: keyof HookLists, error: unknown): void {
    const { gateway, requestId, route } = this;
    logFailure(gateway, { requestId, event: route.operation.eventName, hook }, error);
  }

  private async showProblem(problem: Problem, reply: ReplyMessage | undefined): Promise<void> {
    const { hooks, view, gateway, route } = this;
    const seen = new ProblemOfHooks(problem);
    let changed = problem;
    let answer: ReplyMessage | undefined;
    try {
      const limit = gateway.closed ? LAST_MOMENT : route.timeout;
      const given = await runHooks('onProblem', hooks.onProblem, [seen, view], limit);
      if (given === undefined) changed = seen.changed;
      else answer = replyOfAnswer(given);
    } catch (error) {
      this.log('onProblem', error);
      changed = isSendable(error) ? problemOfError(error, problem.dispatched ?? false) : problem;
    }
    // The client has disconnected, or the shutdown deadline has passed.
    if (this.respond === undefined) return;
    this.respond = undefined;
    this.settled = false;
    if (answer !== undefined) this.receive(answer);
    // The headers of the worker belong to its problem, also under another code.
    else {
      const from = reply?.code === problem.code ? { ...reply, code: changed.code } : reply;
      this.attempt(() => this.fail(changed, from));
    }
  }
}

function withCaller(outgoing: OutgoingRequest, { caller }: RequestOfHooks): OutgoingRequest {
  return caller === outgoing.extras?.caller
    ? outgoing
    : { ...outgoing, extras: { ...outgoing.extras, caller } };
}
