/**
 * Several processes that share one listening port (node:cluster): the primary starts them, starts a crashed one again,
 * and stops all; a member runs the same command and does what the primary says.
 */
import cluster, { type Worker as Process } from 'node:cluster';
import { once } from 'node:events';
import { withResolvers } from '../../core/collections/deferred.ts';
import type { ConsoleLogging, Logger, LogLevel } from '../../core/logging/logging.ts';
import { Backoff } from '../../core/time/backoff.ts';
import { Opened } from '../nodes/serve.ts';
import { CommandError, EXIT, explain } from '../settings/errors.ts';
import type { Answer, FromMember, Question, Questions, ToMember } from './cluster-messages.ts';

/** How long (ms) the primary waits for the answers of members. */
const PATIENCE = 1000;

/** A member that ran this long (ms) had a good start: after its next crash the backoff begins anew. */
const HEALTHY_AFTER = 10_000;

/** A member that drained has so long (ms) to end. */
const END_GRACE = 800;

/** One place in the fleet, and the process that holds it now. */
interface Place {
  readonly backoff: Backoff;
  process: Process | undefined;
  restart: NodeJS.Timeout | undefined;
}

/** Members, as the primary sees them. */
export class Cluster {
  private readonly places: readonly Place[];
  private stopping = false;
  private asked = 0;
  private readonly killAll = (): void => {
    for (const { process: member } of this.places) member?.process.kill('SIGKILL');
  };

  /** @param count processes to run. */
  constructor(
    count: number,
    private readonly logger: Logger,
  ) {
    this.places = Array.from({ length: count }, () => {
      return { backoff: new Backoff({ initial: 200 }), process: undefined, restart: undefined };
    });
  }

  /**
   * Starts all members, each with the command line of this process; resolves with the ready line of the first when all
   * are ready.
   *
   * @throws CommandError with what a member said when it could not start.
   */
  async start(): Promise<string> {
    cluster.setupPrimary({ exec: process.argv[1], args: process.argv.slice(2) });
    process.on('exit', this.killAll);
    const [line = ''] = await Promise.all(this.places.map((place) => this.launch(place)));
    return line;
  }

  /** Drains and ends all members; those that are left after the deadline (ms) are killed. */
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

  /** Processes that there should be. */
  get size(): number {
    return this.places.length;
  }

  /** Asks all members; those that do not answer in time are left out. */
  async ask<What extends Question>(
    what: What,
    ...about: Parameters<Questions[What]>
  ): Promise<Answer<What>[]> {
    const answers = await Promise.all(this.members.map((member) => this.askOne(member, what, about)));
    return answers.filter((answer) => answer !== undefined);
  }

  /** Asks one member; undefined when none answers in time. */
  async askAny<What extends Question>(
    what: What,
    ...about: Parameters<Questions[What]>
  ): Promise<Answer<What> | undefined> {
    const [member] = this.members;
    return member === undefined ? undefined : this.askOne(member, what, about);
  }

  /** Those that run now. */
  private get members(): Process[] {
    return this.places.flatMap(({ process: member }) => member ?? []);
  }

  /** Sets the level of the log of all members; those that start later have the one they were started with. */
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

  /** Starts a member in its place; resolves when it is ready, rejects when it ends before. */
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
    // Not unref'd: when all members are down, nothing else keeps the primary alive.
    place.restart = setTimeout(() => {
      place.restart = undefined;
      // One that ends before it is ready has told of it through its exit: the next attempt is on its way.
      this.launch(place).catch(() => undefined);
    }, delay);
  }
}

/** What a member is, once it serves. */
export interface Member {
  /** What its ready line would say. */
  readonly ready: string;
  readonly log: ConsoleLogging;
  /** Where there is an admin listener. */
  readonly answering?: Questions;
}

/** Whether this process is a member of a fleet. */
export function isMember(): boolean {
  return cluster.isWorker;
}

/**
 * As `serve`, for a member: tells the primary instead of the user, and stops when the primary says so or is gone. A
 * signal for the whole group (Ctrl-C in a terminal) reaches members too; it is the primary that acts on it.
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

/** Does what the primary says, or answers it. */
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
