/**
 * The Python sample worker of the package. `zeromq-gateway up` runs it next to the other samples if
 * it finds a Python 3 with pyzmq. Otherwise its routes are listed as unavailable.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { ContractError } from '../../contract/errors.ts';
import type { Logger } from '../../core/logging/logging.ts';
import { type ApiRegistry, putDocument } from '../../openapi/index.ts';
import type { ZeroMQRouter } from '../../router/index.ts';
import type { Resources } from '../nodes/serve.ts';
import { PACKAGE_FOLDER } from './package.ts';

const DOCUMENT = path.join(PACKAGE_FOLDER, 'openapi/inventory.yaml');
const SCRIPT = path.join(PACKAGE_FOLDER, 'workers/python/inventory.py');

/** Name of the worker's contract, and of the document that stands for it. */
const SOURCE = 'inventory';

/** File name of the worker, as the ready line lists it. */
export const PYTHON_SAMPLE = path.basename(SCRIPT);

/** Debian's Python has Debian's packages, but need not be the first in PATH. */
const CANDIDATES = ['python3', '/usr/bin/python3'];

/** Fails unless Python and pyzmq are recent enough for zeromq_gateway.py. */
const CHECK =
  'import sys, zmq; sys.exit(sys.version_info < (3, 9) or int(zmq.__version__.split(".")[0]) < 24)';

/** Maximum duration of {@link CHECK}, and of the start, in milliseconds. */
const START_TIME = 5000;

/** Maximum time for the worker to end after SIGTERM, in milliseconds. */
const END_TIME = 1000;

/**
 * Runs the script, and ends it when standard input does: the system closes it when this process
 * ends, in whatever way.
 */
const RUN = `
import os, runpy, signal, sys, threading
def watch():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=watch, daemon=True).start()
script = sys.argv[1]
sys.argv[:] = sys.argv[1:]
sys.path.insert(0, os.path.dirname(script))
runpy.run_path(script, run_name="__main__")
`;

/** The parts of a command that the sample needs. */
export interface PythonSampleTarget {
  readonly router: ZeroMQRouter;
  readonly registry: ApiRegistry;
  readonly logger: Logger;
  readonly resources: Resources;
  /** Endpoints of the router. */
  readonly endpoints: { readonly backend: string; readonly heartbeat?: string | undefined };
}

/**
 * Finds a Python 3.9 or later with pyzmq 24 or later.
 *
 * @param wanted the only one to try; false: none; undefined: those that are usual.
 */
export async function findPython(
  wanted: string | false | undefined,
  logger: Logger,
): Promise<string | undefined> {
  if (wanted === false) return undefined;
  for (const candidate of wanted === undefined ? CANDIDATES : [wanted]) {
    const works = await new Promise<boolean>((resolve) => {
      execFile(candidate, ['-c', CHECK], { timeout: START_TIME }, (error) => resolve(error === null));
    });
    if (works) return candidate;
  }
  const level = wanted === undefined ? 'debug' : 'warn';
  logger[level]({ python: wanted }, 'the Python sample does not run: it needs Python 3.9 with pyzmq 24');
  return undefined;
}

/**
 * Lists the routes of the sample as unavailable until a worker serves them: the sample, whose
 * contract replaces the document, or a classic worker, which announces none.
 */
function listRoutes({ registry, router, logger, resources }: PythonSampleTarget): void {
  try {
    putDocument(registry, DOCUMENT, { name: SOURCE, kind: 'worker', available: false });
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    // A worker of the user has the same routes.
    logger.debug({ err: error }, 'the routes of the Python sample are left out');
    return;
  }
  const listed = registry.contractOf(SOURCE);
  const mark = (): void => {
    const isServed = router.inspect().workers.some(({ classic }) => classic);
    if (registry.contractOf(SOURCE) === listed) registry.setAvailable(SOURCE, isServed);
  };
  mark();
  router.on('workerJoined', mark).on('workerLeft', mark);
  resources.add(() => router.off('workerJoined', mark).off('workerLeft', mark));
}

/**
 * Starts the sample, or lists its routes if it does not run.
 *
 * @param python path of Python; undefined if there is none.
 * @returns whether the sample runs.
 */
export async function startPythonSample(
  target: PythonSampleTarget,
  python: string | undefined,
): Promise<boolean> {
  if (python !== undefined && (await run(python, target))) return true;
  listRoutes(target);
  return false;
}

/** Runs the sample. Resolves when the router has registered its contract, or when it has ended. */
function run(
  python: string,
  { registry, logger, resources, endpoints }: PythonSampleTarget,
): Promise<boolean> {
  const { backend, heartbeat } = endpoints;
  const args = ['--router', local(backend)];
  if (heartbeat !== undefined) args.push('--heartbeat', local(heartbeat));
  const child = spawn(python, ['-c', RUN, SCRIPT, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    // Ctrl-C in a terminal reaches only this process, which drains first.
    detached: true,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  let closing = false;
  let lastLine = '';
  child.stdin.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    lastLine = text.trim().split('\n').at(-1) ?? lastLine;
  });
  const ended = new Promise<void>((resolve) => child.once('close', resolve).once('error', resolve));
  resources.add(async () => {
    closing = true;
    await end(child, ended);
  });
  void ended.then(() => {
    if (!closing) logger.warn({ reason: lastLine }, 'the Python sample has ended');
  });
  return new Promise<boolean>((resolve) => {
    const done = (): void => {
      clearTimeout(limit);
      registry.off('change', onChange);
      resolve(registry.has(SOURCE));
    };
    const onChange = (): void => {
      if (registry.has(SOURCE)) done();
    };
    const limit = setTimeout(done, START_TIME).unref();
    registry.on('change', onChange);
    void ended.then(done);
  });
}

/** Ends the sample: it drains after SIGTERM. */
async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), END_TIME);
  await ended;
  clearTimeout(limit);
}

/** The endpoint as a peer on this machine reaches it. */
function local(endpoint: string): string {
  return endpoint.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}
