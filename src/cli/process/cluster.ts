/**
 * Several processes that share one listening port through `node:cluster`. The primary starts the
 * members, restarts those that crash, and stops all of them. Each member runs the same command and
 * follows the instructions of the primary.
 */
import cluster, { type Worker as Process } from 'node:cluster';
import { once } from 'node:events';
import { withResolvers } from '../../core/collections/deferred.ts';
import type { ConsoleLogging, Logger, LogLevel } from '../../core/logging/logging.ts';
import { toError } from '../../core/messages/errors.ts';
import { Backoff } from '../../core/time/backoff.ts';
import type { Reloads } from '../nodes/reload.ts';
import { openTelemetry, Resources } from '../nodes/serve.ts';
import type { CommandContext } from '../settings/command.ts';
import { CommandError, EXIT, explain, UsageError } from '../settings/errors.ts';
import type { FromMember, Queries, QueryName, QueryResult, ToMember } from './cluster-messages.ts';
import { memberOptions, processState } from './young-generation.ts';

/** How long the primary waits for the replies of members, in milliseconds. */
const QUERY_TIMEOUT = 1000;

/** How long members may take to read their settings and hooks, in milliseconds. */
const RELOAD_TIMEOUT = 10_000;

/**
 * If a member crashes after running at least this long, in milliseconds, the restart backoff begins
 * anew.
 */
const HEALTHY_AFTER = 10_000;

/** Time, in milliseconds, that a member may take to exit after its drain. */
const END_GRACE = 800;

/** A position in the cluster, and the process that occupies it. */
interface Slot {
  readonly backoff: Backoff;
  process: Process | undefined;
  restart: NodeJS.Timeout | undefined;
}

/** The members of a cluster, managed by the primary. */
export class Cluster {
  private readonly slots: readonly Slot[];
  private stopping = false;
  private lastQueryId = 0;
  private readonly killAll = (): void => {
    for (const { process: member } of this.slots) member?.process.kill('SIGKILL');
  };

  /** @param count number of processes. */
  constructor(
    count: number,
    private readonly logger: Logger,
  ) {
    this.slots = Array.from({ length: count }, () => {
      return { backoff: new Backoff({ initial: 200 }), process: undefined, restart: undefined };
    });
  }

  /**
   * Starts all members with the command line of this process. Resolves with the ready line of the
   * first member when all are ready.
   *
   * @throws {CommandError} when a member fails to start; the message is the one the member sent.
   */
  async start(): Promise<string> {
    cluster.setupPrimary({
      exec: process.argv[1],
      args: process.argv.slice(2),
      execArgv: [...memberOptions(processState(), this.size)],
    });
    process.on('exit', this.killAll);
    const [line = ''] = await Promise.all(this.slots.map((slot) => this.launch(slot)));
    return line;
  }

  /**
   * Drains and stops all members. Members still running after the deadline, in milliseconds, are
   * killed.
   */
  async stop(deadline: number): Promise<void> {
    this.stopping = true;
    const ended = this.slots.map(async ({ process: member, restart }) => {
      clearTimeout(restart);
      if (member === undefined) return;
      const exit = once(member, 'exit');
      sendToMember(member, 'stop');
      await exit;
    });
    const timer = setTimeout(this.killAll, deadline + END_GRACE);
    await Promise.all(ended);
    clearTimeout(timer);
    process.off('exit', this.killAll);
  }

  /** Configured number of processes. */
  get size(): number {
    return this.slots.length;
  }

  /** Queries all members. The result omits members that do not reply in time. */
  async queryAll<Name extends QueryName>(
    query: Name,
    ...args: Parameters<Queries[Name]>
  ): Promise<QueryResult<Name>[]> {
    const results = await Promise.all(this.members.map((member) => this.queryMember(member, query, args)));
    return results.filter((result) => result !== undefined);
  }

  /** Queries one member. Resolves with undefined if it does not reply in time. */
  async queryOne<Name extends QueryName>(
    query: Name,
    ...args: Parameters<Queries[Name]>
  ): Promise<QueryResult<Name> | undefined> {
    const [member] = this.members;
    return member === undefined ? undefined : this.queryMember(member, query, args);
  }

  /** The running members. */
  private get members(): Process[] {
    return this.slots.flatMap(({ process: member }) => member ?? []);
  }

  /** Sets the log level of the running members. Members started later have the configured level. */
  setLogLevel(level: LogLevel | 'silent'): void {
    for (const member of this.members) sendToMember(member, { level });
  }

  /**
   * Lets the running members read their settings again, without using them.
   *
   * @throws {UsageError} when the settings are not valid, or a member does not answer in time.
   */
  async prepareReload(): Promise<void> {
    const prepare = (id: number): ToMember => ({ prepareReload: id });
    const answers = await Promise.all(
      this.members.map((member) => this.ask<readonly string[]>(member, prepare, RELOAD_TIMEOUT)),
    );
    const reasons = answers.flatMap(
      (answer) => answer ?? [`a process did not answer in ${RELOAD_TIMEOUT} ms`],
    );
    if (reasons.length > 0) throw new UsageError([...new Set(reasons)]);
  }

  /** Lets the running members use the settings that they have read, or forget them. */
  endReload(apply: boolean): void {
    for (const member of this.members) sendToMember(member, { applyReload: apply });
  }

  private queryMember<Name extends QueryName>(
    member: Process,
    query: Name,
    args: readonly unknown[],
  ): Promise<QueryResult<Name> | undefined> {
    return this.ask(member, (id) => ({ query, id, args }), QUERY_TIMEOUT);
  }

  /** Sends a message and resolves with the reply, or with undefined if there is none in time. */
  private ask<Reply>(
    member: Process,
    messageWith: (id: number) => ToMember,
    timeout: number,
  ): Promise<Reply | undefined> {
    this.lastQueryId += 1;
    const id = this.lastQueryId;
    return new Promise((resolve) => {
      const done = (result: Reply | undefined): void => {
        clearTimeout(timer);
        member.off('message', onMessage);
        resolve(result);
      };
      const onMessage = (message: FromMember): void => {
        if ('reply' in message && message.reply === id) done(message.value as Reply);
      };
      const timer = setTimeout(done, timeout, undefined);
      member.on('message', onMessage);
      sendToMember(member, messageWith(id));
    });
  }

  /** Starts a member. Resolves when it is ready and rejects if it ends before. */
  private launch(slot: Slot): Promise<string> {
    const member = cluster.fork();
    const startedAt = performance.now();
    slot.process = member;
    let failure = 'a process exited before it was ready';
    let ready = false;
    return new Promise((resolve, reject) => {
      member.on('message', (message: FromMember) => {
        if ('failed' in message) failure = message.failed;
        else if ('ready' in message) {
          ready = true;
          resolve(message.ready);
        }
      });
      member.on('exit', (code, signal) => {
        slot.process = undefined;
        reject(new CommandError(failure));
        const cause = ready ? `exit ${signal ?? code}` : failure;
        if (ready || slot.backoff.attempts > 0) this.restart(slot, cause, performance.now() - startedAt);
      });
    });
  }

  private restart(slot: Slot, cause: string, uptime: number): void {
    if (this.stopping) return;
    if (uptime > HEALTHY_AFTER) slot.backoff.reset();
    const delay = slot.backoff.next();
    this.logger.error({ cause, delay }, 'a process exited and will be restarted');
    // Not unref'd: while all members are down, only this timer keeps the primary alive.
    slot.restart = setTimeout(() => {
      slot.restart = undefined;
      // If the member ends before it is ready, its exit handler has already scheduled the next
      // attempt.
      this.launch(slot).catch(() => undefined);
    }, delay);
  }
}

/** A member that has started. */
export interface Member {
  /** The ready line without its prefix. */
  readonly ready: string;
  readonly log: ConsoleLogging;
  /** Handlers of the primary's queries; set if there is an admin listener. */
  readonly queries?: Queries;
}

/** Whether this process is a member of a cluster. */
export function isMember(): boolean {
  return cluster.isWorker;
}

/** Whether this process is the member of a cluster that started first. */
export function isFirstMember(): boolean {
  return cluster.worker?.id === 1;
}

/**
 * Runs a member of a cluster. Like `serve`, but it reports to the primary instead of the user and
 * stops on the primary's message or when the primary is gone. It ignores signals, because Ctrl-C in
 * a terminal reaches the members too and the primary handles it.
 */
export async function serveAsMember(
  drain: number,
  context: CommandContext,
  start: (resources: Resources) => Promise<Member>,
): Promise<number> {
  // The primary watches the configuration file.
  const { source } = context;
  const resources = new Resources(source && { ...source, file: undefined });
  const stop = withResolvers<undefined>();
  const ignore = (): void => undefined;
  let member: Member | undefined;
  const onMessage = (message: ToMember): void => {
    if (message === 'stop') stop.resolve(undefined);
    else if ('prepareReload' in message) void prepareReload(resources.reloads, message.prepareReload);
    else if ('applyReload' in message) resources.reloads.end(message.applyReload);
    else if (member !== undefined) void handleMessage(member, message);
  };
  process.on('SIGINT', ignore);
  process.on('SIGTERM', ignore);
  process.on('SIGHUP', ignore);
  process.on('message', onMessage);
  process.on('disconnect', () => stop.resolve(undefined));
  let code: number = EXIT.ok;
  try {
    const started = openTelemetry('gateway', context, resources).then(() => start(resources));
    started.catch(() => undefined);
    member = await Promise.race([stop.promise, started]);
    if (member !== undefined) {
      sendToPrimary({ ready: member.ready });
      const ended = await Promise.race([stop.promise, resources.failed]);
      if (ended !== undefined) throw ended;
    }
  } catch (error) {
    sendToPrimary({ failed: explain(error).join('\n') });
    code = EXIT.failed;
  }
  await resources.close(member === undefined ? 0 : drain);
  process.off('message', onMessage);
  if (process.connected) process.disconnect();
  return code;
}

/** Executes an instruction of the primary, or replies to its query. */
async function handleMessage(
  member: Member,
  message: Extract<ToMember, { readonly level: unknown } | { readonly query: unknown }>,
): Promise<void> {
  if ('level' in message) member.log.consoleLevel = message.level;
  else if (member.queries !== undefined) {
    const { query, id, args } = message;
    const handler = member.queries[query] as (...args: readonly unknown[]) => unknown;
    sendToPrimary({ reply: id, value: await handler(...args) });
  }
}

/** Prepares a reload and replies with the reasons if that fails. */
async function prepareReload(reloads: Reloads, id: number): Promise<void> {
  const reasons = await reloads.prepare().then(
    () => [],
    (error: unknown) => explain(toError(error)),
  );
  sendToPrimary({ reply: id, value: reasons });
}

function sendToMember(member: Process, message: ToMember): void {
  if (member.isConnected()) member.send(message);
}

function sendToPrimary(message: FromMember): void {
  if (process.connected) process.send?.(message);
}
