/**
 * The size of V8's young generation in commands that serve requests. A request in flight holds a
 * few kB. Thousands of them exceed the 16 MiB that V8 allows by default, so that they are copied,
 * promoted and freed by slow collections, which doubles the CPU time of a request
 * (docs/performance.md).
 *
 * V8 reads the size when it creates the heap of a process or thread. On a Node.js with
 * `process.execve` (22.15), the process therefore replaces itself before it loads anything else,
 * which keeps its id and costs one start of Node.js. The young generation grows only while
 * requests survive its collections.
 */
import { totalmem } from 'node:os';

/** Commands whose process serves requests. */
const SERVING: ReadonlySet<string> = new Set(['up', 'gateway', 'router', 'worker', 'server', 'mock']);

/** Environment variable with the size of a semi-space in MiB, or `off`. */
export const SEMI_SPACE_VARIABLE = 'ZMQ_GATEWAY_SEMI_SPACE';

const FLAG = '--max-semi-space-size';

/** Size of a semi-space in V8 without a flag, and the largest one that is chosen, in MiB. */
const SMALLEST = 16;
const LARGEST = 128;

/** Share of the memory that a semi-space may take. The young generation consists of three. */
const SHARE = 1 / 16;

const MIB = 2 ** 20;

/** A size in MiB in the environment variable. */
const SIZE = /^[1-9]\d{0,3}$/;

/** The parts of the process that decide the size. */
export interface ProcessState {
  readonly argv: readonly string[];
  /** Options of Node.js. */
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Memory that the process may use, in bytes. */
  readonly memory: number;
}

/** Returns the state of this process. */
export function processState(): ProcessState {
  // Without a limit, the constraint is 0 or larger than the memory of the machine.
  const limit = process.constrainedMemory();
  const total = totalmem();
  const { argv, execArgv, env } = process;
  return { argv, execArgv, env, memory: limit > 0 ? Math.min(limit, total) : total };
}

/**
 * Returns the option of Node.js for a larger young generation. Undefined if the command does not
 * serve requests, if the operator has given that option, or if there is too little memory for more.
 */
export function semiSpaceOption({ argv, execArgv, env, memory }: ProcessState): string | undefined {
  if (!SERVING.has(argv[2] ?? '')) return undefined;
  if (`${execArgv.join(' ')} ${env['NODE_OPTIONS'] ?? ''}`.replaceAll('_', '-').includes(FLAG))
    return undefined;
  const given = env[SEMI_SPACE_VARIABLE] ?? '';
  if (given === 'off') return undefined;
  if (given !== '') return SIZE.test(given) ? `${FLAG}=${given}` : undefined;
  const size = Math.min(LARGEST, 2 ** Math.floor(Math.log2((memory * SHARE) / MIB)));
  return size > SMALLEST ? `${FLAG}=${size}` : undefined;
}

/** Returns what is wrong with the environment variable; undefined if it is valid or not set. */
export function semiSpaceProblem({ env }: Pick<ProcessState, 'env'>): string | undefined {
  const given = env[SEMI_SPACE_VARIABLE] ?? '';
  if (given === '' || given === 'off' || SIZE.test(given)) return undefined;
  return `${SEMI_SPACE_VARIABLE}: ${JSON.stringify(given)} is invalid; allowed: MiB, a whole number from 1 to 9999, or off`;
}

/**
 * Returns the options of Node.js for each member of a cluster. They divide the memory.
 *
 * @param count number of members.
 */
export function memberOptions(state: ProcessState, count: number): readonly string[] {
  const { execArgv, memory } = state;
  const [first, ...others] = execArgv;
  // The process that replaced itself has the option for the whole memory.
  const given =
    first !== undefined && first === semiSpaceOption({ ...state, execArgv: others }) ? others : execArgv;
  const option = semiSpaceOption({ ...state, execArgv: given, memory: memory / count });
  return option === undefined ? given : [option, ...given];
}

type Execve = (
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
) => never;

/** Replaces this process by one with a larger young generation, if that is possible and useful. */
export function enlargeYoungGeneration(): void {
  const { execve } = process as { execve?: Execve };
  // A member of a cluster has the options that its primary gave it.
  if (execve === undefined || process.platform === 'win32' || process.connected) return;
  const option = semiSpaceOption(processState());
  if (option === undefined) return;
  const { execPath, execArgv, argv, env } = process;
  execve.call(process, execPath, [execPath, option, ...execArgv, ...argv.slice(1)], env);
}
