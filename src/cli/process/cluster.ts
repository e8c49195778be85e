/**
 * Several processes that share one listening port through `node:cluster`. The primary starts the
 * members, restarts those that crash, and stops all of them. Each member runs the same command and
 * obeys the primary.
 */
import cluster, { type Worker as Process } from 'node:cluster';
import { once } from 'node:events';
import { withResolvers } from '../../core/collections/deferred.ts';
import type { ConsoleLogging, Logger, LogLevel } from '../../core/logging/logging.ts';
import { Backoff } from '../../core/time/backoff.ts';
import { Opened } from '../nodes/serve.ts';
import { CommandError, EXIT, explain } from '../settings/errors.ts';
import type { Answer, FromMember, Question, Questions, ToMember } from './cluster-messages.ts';

/** How long the primary waits for answers of members, in milliseconds. */
const PATIENCE = 1000;

/**
 * If a member crashes after running at least this long, in milliseconds, the restart backoff begins
 * anew.
 */
const HEALTHY_AFTER = 10_000;

/** Time, in milliseconds, that a member may take to exit after its drain. */
const END_GRACE = 800;

/** A position in the cluster, and the process that occupies it. */
interface Place {
  readonly backoff: Backoff;
  process: Process | undefined;
  restart: NodeJS.Timeout | undefined;
}

/** The members of a cluster, managed by the primary. */
export class Cluster {
  private readonly places: readonly Place[];
  private stopping = false;
  private asked = 0;
  private readonly killAll = (): void => {
    for (const { process: member } of this.places) member?.process.kill('SIGKILL');
  };

  /** @param count number of processes. */
  constructor(
    count: number,
    private readonly logger: Logger,
  ) {
    this.places = Array.from({ length: count }, () => {
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
    cluster.setupPrimary({ exec: process.argv[1], args: process.argv.slice(2) });
    process.on('exit', this.killAll);
    const [line = ''] = await Promise.all(this.places.map((place) => this.launch(place)));
    return line;
  }

  /**
   * Drains and stops all members. Members still running after the deadline, in milliseconds, are
   * killed.
   */
  async stop(deadline: number): Promise<void> {
    this.stopping = true;
    const ended = this.places.map(async ({ process: member, restart }) => {
      clearTimeout(restart);
      if (member === undefined) return;
      const exit = once(member, 'exit');
      say(member, 'stop');
      await exit;
    });
    const timer = setTimeout(this.killAll, deadline + END_GRACE);
    await Promise.all(ended);
    clearTimeout(timer);
    process.off('exit', this.killAll);
  }

  /** Configured number of processes. */
  get size(): number {
    return this.places.length;
  }

  /** Asks all members. Members that do not answer in time are missing from the result. */
  async ask<What extends Question>(
    what: What,
    ...about: Parameters<Questions[What]>
  ): Promise<Answer<What>[]> {
    const answers = await Promise.all(this.members.map((member) => this.askOne(member, what, about)));
    return answers.filter((answer) => answer !== undefined);
  }

  /** Asks one member. Resolves with undefined if it does not answer in time. */
  async askAny<What extends Question>(
    what: What,
    ...about: Parameters<Questions[What]>
  ): Promise<Answer<What> | undefined> {
    const [member] = this.members;
    return member === undefined ? undefined : this.askOne(member, what, about);
  }

  /** The running members. */
  private get members(): Process[] {
    return this.places.flatMap(({ process: member }) => member ?? []);
  }

  /** Sets the log level of the running members. Members started later have the configured level. */
  setLogLevel(level: LogLevel | 'silent'): void {
    for (const member of this.members) say(member, { level });
  }

  private askOne<What extends Question>(
    member: Process,
    what: What,
    about: readonly unknown[],
  ): Promise<Answer<What> | undefined> {
    this.asked += 1;
    const id = this.asked;
    return new Promise((resolve) => {
      const done = (answer: Answer<What> | undefined): void => {
        clearTimeout(timer);
        member.off('message', onMessage);
        resolve(answer);
      };
      const onMessage = (message: FromMember): void => {
        if ('answer' in message && message.answer === id) done(message.value as Answer<What>);
      };
      const timer = setTimeout(done, PATIENCE, undefined);
      member.on('message', onMessage);
      say(member, { ask: id, what, about });
    });
  }

  /** Starts a member. Resolves when it is ready and rejects if it ends before. */
  private launch(place: Place): Promise<string> {
    const member = cluster.fork();
    const startedAt = performance.now();
    place.process = member;
    let fault = 'a process ended before it was ready';
    let ready = false;
    return new Promise((resolve, reject) => {
      member.on('message', (message: FromMember) => {
        if ('failed' in message) fault = message.failed;
        else if ('ready' in message) {
          ready = true;
          resolve(message.ready);
        }
      });
      member.on('exit', (code, signal) => {
        place.process = undefined;
        reject(new CommandError(fault));
        const cause = ready ? `exit ${signal ?? code}` : fault;
        if (ready || place.backoff.attempts > 0) this.ended(place, cause, performance.now() - startedAt);
      });
    });
  }

  private ended(place: Place, cause: string, livedFor: number): void {
    if (this.stopping) return;
    if (livedFor > HEALTHY_AFTER) place.backoff.reset();
    const delay = place.backoff.next();
    this.logger.error({ cause, delay }, 'a process ended and will be started again');
    // Not unref'd: while all members are down, only this timer keeps the primary alive.
    place.restart = setTimeout(() => {
      place.restart = undefined;
      // If the member ends before it is ready, its exit handler has already scheduled the next
      // attempt.
      this.launch(place).catch(() => undefined);
    }, delay);
  }
}

/** A member that has started. */
export interface Member {
  /** The ready line without its prefix. */
  readonly ready: string;
  readonly log: ConsoleLogging;
  /** Handlers of the primary's questions; set if there is an admin listener. */
  readonly answering?: Questions;
}

/** Whether this process is a member of a cluster. */
export function isMember(): boolean {
  return cluster.isWorker;
}

/**
 * Runs a member of a cluster. Like `serve`, but it reports to the primary instead of the user and
 * stops on the primary's message or when the primary is gone. It ignores signals, because Ctrl-C in
 * a terminal reaches the members too and the primary handles it.
 */
export async function serveAsMember(
  drain: number,
  start: (opened: Opened) => Promise<Member>,
): Promise<number> {
  const opened = new Opened();
  const stop = withResolvers<undefined>();
  const ignore = (): void => undefined;
  let member: Member | undefined;
  const onMessage = (message: ToMember): void => {
    if (message === 'stop') stop.resolve(undefined);
    else if (member !== undefined) void obey(member, message);
  };
  process.on('SIGINT', ignore);
  process.on('SIGTERM', ignore);
  process.on('message', onMessage);
  process.on('disconnect', () => stop.resolve(undefined));
  let code: number = EXIT.ok;
  try {
    const started = start(opened);
    started.catch(() => undefined);
    member = await Promise.race([stop.promise, started]);
    if (member !== undefined) {
      tell({ ready: member.ready });
      const ended = await Promise.race([stop.promise, opened.failed]);
      if (ended !== undefined) throw ended;
    }
  } catch (error) {
    tell({ failed: explain(error).join('\n') });
    code = EXIT.failed;
  }
  await opened.close(member === undefined ? 0 : drain);
  process.off('message', onMessage);
  if (process.connected) process.disconnect();
  return code;
}

/** Executes an instruction of the primary, or answers its question. */
async function obey(member: Member, message: Exclude<ToMember, 'stop'>): Promise<void> {
  if ('level' in message) member.log.consoleLevel = message.level;
  else if (member.answering !== undefined) {
    const { ask, what, about } = message;
    const answer = member.answering[what] as (...about: readonly unknown[]) => unknown;
    tell({ answer: ask, value: await answer(...about) });
  }
}

function say(member: Process, message: ToMember): void {
  if (member.isConnected()) member.send(message);
}

function tell(message: FromMember): void {
  if (process.connected) process.send?.(message);
}
