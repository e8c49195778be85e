/** A process that runs a worker module, with the interface of a thread. */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { HostEnvironment, ModuleHost } from './module-host.ts';
import { beatOf } from './pulse.ts';
import {
  type FromProcess,
  isPosted,
  type PostedError,
  type ProcessSetup,
  type ThreadSetup,
  type ToThread,
} from './thread-messages.ts';
import { typescriptLoader } from './typescript-loader.ts';

/**
 * Node.js options that a child must not inherit: its debugger port would be in use, and a script
 * would run again.
 */
const NOT_INHERITED = /^(?:--(?:inspect|debug|test|watch|eval|print|input-type)|-[ep]$)/;

export class ModuleProcess extends EventEmitter implements ModuleHost {
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor({ pulse, ...setup }: ThreadSetup, { env, inspectPort }: HostEnvironment) {
    super();
    this.child = startChild(env);
    this.ended = new Promise((resolve) => this.once('exit', resolve));
    const beat = beatOf(pulse);
    this.child.on('message', (message: FromProcess) => {
      if (
        isPosted(message) ||
        (message.type !== 'beat' && message.type !== 'ended' && message.type !== 'failed')
      )
        this.emit('message', message);
      else if (message.type === 'beat') beat();
      else if (message.type === 'failed') this.emit('error', revivedError(message.error));
    });
    this.child.on('exit', (code, signal) => this.emit('exit', code ?? signal));
    this.child.on('error', (error) => {
      this.emit('error', error);
      if (this.child.pid === undefined) this.emit('exit', 'that it did not start with');
    });
    const { interval } = pulse;
    const toChild: ProcessSetup = { ...setup, parent: process.pid, interval, inspectPort };
    this.send(toChild);
  }

  postMessage(message: ToThread): void {
    this.send(message);
  }

  async terminate(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Messages to a child that has exited are lost; its exit settles the requests. */
  private send(message: ToThread | ProcessSetup): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }
}

/** Starts `process-main`, compiled or uncompiled like this module. */
function startChild(env: NodeJS.ProcessEnv | undefined): ChildProcess {
  const compiled = !import.meta.url.endsWith('.ts');
  const main = new URL(compiled ? './process-main.js' : './process-main.ts', import.meta.url);
  const options = compiled
    ? inherited(process.execArgv)
    : [`--import=${typescriptLoader() ?? import.meta.resolve('tsx')}`];
  // Without this option, the debugger of the process prints its address on stderr.
  const execArgv = [...options, '--inspect-publish-uid=http'];
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
  return fork(fileURLToPath(main), { serialization: 'advanced', execArgv, env, stdio: [...stdio] });
}

/** Node.js options to inherit, such as `--import`; none if a script is among them. */
function inherited(options: readonly string[]): string[] {
  return options.some((option) => NOT_INHERITED.test(option))
    ? options.filter((option) => option.startsWith('--max-'))
    : [...options];
}

function revivedError({ name, message, stack }: PostedError): Error {
  return Object.assign(new Error(message), { name, stack });
}
