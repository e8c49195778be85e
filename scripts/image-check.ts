/**
 * `npm run image:check`: builds the images of the Dockerfile with buildah, podman or docker, and runs
 * them: every role with the health check of the image, requests through all of them, and their stop.
 *
 * `--local-bases` replaces the pinned base images, for machines without a registry of images: Debian
 * comes from debootstrap, and Node.js is the one that runs this script. It needs root. `--node-image`
 * and `--python-image` name other base images.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type BuildArguments, Engine } from './lib/containers.ts';
import { ROOT, runCheck, until } from './lib/run.ts';
import { isForPlatform } from './native-files.mjs';

const IMAGE = 'localhost/zeromq-gateway:check';
const PYTHON_IMAGE = 'localhost/zeromq-gateway-python:check';
/** How long a container may take to become healthy, or to serve, in ms. */
const START_TIME = 90_000;

/** Names of processors in ELF files, `e_machine`. */
const MACHINES: Readonly<Record<string, number>> = { arm: 40, arm64: 183, ia32: 3, x64: 62 };

/** A container: the command of the image, and its place. */
interface Role {
  readonly name: string;
  readonly args: readonly string[];
  /** Port of the admin listener. */
  readonly admin: number;
  /** Whether it has a loopback interface of its own. The others share that of the router. */
  readonly isAlone?: boolean;
}

const ROLES: readonly Role[] = [
  { name: 'router', args: ['router'], admin: 9090, isAlone: true },
  { name: 'gateway', args: ['gateway'], admin: 9091 },
  { name: 'worker', args: ['worker', 'workers/echo.ts'], admin: 9092 },
  { name: 'tasks', args: ['worker', 'workers/tasks.ts'], admin: 9093 },
  { name: 'server', args: ['server', 'workers/echo.ts', '--bind', 'tcp://127.0.0.1:6000'], admin: 9094 },
  { name: 'up', args: ['up'], admin: 9090, isAlone: true },
];

/** Prints each native file of the image: path, and the processor in its header. */
const NATIVE_FILES = `
  const { openSync, readSync, readdirSync } = require('node:fs');
  const header = Buffer.alloc(20);
  for (const name of readdirSync('/app', { recursive: true })) {
    if (!/\\.node$|\\.so(\\.\\d+)*$|\\/bin\\/esbuild$|\\.(dll|dylib|exe)$/.test(name)) continue;
    readSync(openSync('/app/' + name), header, 0, 20, 0);
    const elf = header.toString('latin1', 1, 4) === 'ELF';
    console.log(name + ' ' + (elf ? header.readUInt16LE(18) : 'no-elf'));
  }`;

class ImageCheck {
  private readonly check: readonly string[];

  constructor(private readonly engine: Engine) {
    const { user, check } = engine.configOf(IMAGE);
    assert.doesNotMatch(user, /^(root|0|)(:|$)/, 'the image runs as root');
    this.check = check;
  }

  private nameOf(role: string): string {
    return `zeromq-gateway-check-${process.pid}-${role}`;
  }

  version(): void {
    const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
    assert.equal(this.engine.do('run', '--rm', IMAGE, '--version'), version);
  }

  /** Only native files of the platform are in the image, and those that it needs. */
  nativeFiles(): void {
    const command = ['run', '--rm', '--entrypoint', 'node', IMAGE, '--eval', NATIVE_FILES];
    const files = this.engine
      .do(...command)
      .split('\n')
      .map((line) => line.split(' '));
    const target = { platform: 'linux', arch: process.arch, libc: 'glibc' };
    for (const [name = '', machine] of files) {
      assert.ok(isForPlatform(name, target), `${name} is for another platform`);
      // The file of esbuild in its own package starts the one for the platform, unless it is replaced.
      if (/(^|\/)esbuild\/bin\/esbuild$/.test(name) && machine === 'no-elf') continue;
      assert.equal(machine, String(MACHINES[process.arch]), `${name} is for another processor`);
    }
    for (const needed of [/\/zeromq\/.*addon\.node$/, /bcrypt.*\.node$/, /@esbuild\/.*\/esbuild$/]) {
      assert.ok(
        files.some(([name = '']) => needed.test(name)),
        `no file matches ${String(needed)}`,
      );
    }
    console.log(`ok: ${files.length} native files, all for linux ${process.arch} with glibc`);
  }

  /** Runs all roles together, and stops them. */
  async roles(): Promise<void> {
    try {
      for (const role of ROLES) this.start(role);
      this.startPython();
      for (const { name } of ROLES) await this.untilHealthy(name);
      for (const path of ['/echo/hello', '/tasks', '/inventory']) await this.untilServed('gateway', path);
      await this.untilServed('up', '/echo/hello');
      for (const { name } of ROLES) await this.hang(name);
      for (const { name } of [...ROLES].reverse()) this.stop(name);
    } finally {
      for (const { name } of [...ROLES, { name: 'python' }].reverse()) this.engine.remove(this.nameOf(name));
    }
  }

  private start({ name, args, admin, isAlone = false }: Role): void {
    const network = isAlone ? 'none' : `container:${this.nameOf('router')}`;
    const { engine } = this;
    const options = ['--detach', '--name', this.nameOf(name), '--network', network];
    const safe = ['--read-only', '--tmpfs', '/tmp', '--volume', '/data', '--cap-drop', 'ALL'];
    const env = ['--env', `ZMQ_GATEWAY_ADMIN=127.0.0.1:${admin}`];
    engine.do('run', ...options, ...safe, ...env, IMAGE, ...args);
  }

  private startPython(): void {
    const network = `container:${this.nameOf('router')}`;
    const options = ['--detach', '--name', this.nameOf('python'), '--network', network, '--read-only'];
    const addresses = ['--router', 'tcp://127.0.0.1:5556', '--heartbeat', 'tcp://127.0.0.1:5557'];
    this.engine.do('run', ...options, '--volume', '/data', PYTHON_IMAGE, ...addresses);
  }

  private async untilHealthy(role: string): Promise<void> {
    const name = this.nameOf(role);
    await until(
      () => this.engine.isHealthy(name, this.check),
      () => `${role} is not healthy: ${this.engine.do('logs', name)}`,
      START_TIME,
    );
    console.log(`ok: ${role} is healthy`);
  }

  private async untilServed(role: string, path: string): Promise<void> {
    const ask = `fetch('http://127.0.0.1:8080${path}').then((r) => console.log(r.status))`;
    const name = this.nameOf(role);
    let status = '';
    await until(
      () => {
        status = this.engine.do('exec', name, 'node', '--eval', ask);
        return status === '200';
      },
      () => `${path} answers with ${status}: ${this.engine.do('logs', name)}`,
      START_TIME,
    );
    console.log(`ok: GET ${path} at ${role}`);
  }

  /** A process that hangs is not healthy. */
  private async hang(role: string): Promise<void> {
    const name = this.nameOf(role);
    this.engine.do('kill', '--signal', 'STOP', name);
    assert.equal(this.engine.isHealthy(name, this.check), false, `${role} hangs, and is healthy`);
    this.engine.do('kill', '--signal', 'CONT', name);
    await this.untilHealthy(role);
  }

  private stop(role: string): void {
    const name = this.nameOf(role);
    this.engine.do('stop', '--time', '15', name);
    const code = this.engine.do('inspect', '--format', '{{.State.ExitCode}}', name);
    assert.equal(code, '0', `${role} ended with exit code ${code}: ${this.engine.do('logs', name)}`);
  }
}

/** The base images in the Dockerfile, and those that replace them. */
function basesOf(engine: Engine): BuildArguments {
  const { values } = parseArgs({
    options: {
      'local-bases': { type: 'boolean', default: false },
      'node-image': { type: 'string' },
      'python-image': { type: 'string' },
    },
  });
  const dockerfile = readFileSync(`${ROOT}Dockerfile`, 'utf8');
  const pinned = [...dockerfile.matchAll(/^ARG (\w+_IMAGE)=(\S+)$/gm)].map(([, name, image]) => [
    name,
    image,
  ]);
  return {
    ...(Object.fromEntries(pinned) as BuildArguments),
    ...(values['local-bases'] ? engine.createBases() : {}),
    ...(values['node-image'] === undefined ? {} : { NODE_IMAGE: values['node-image'] }),
    ...(values['python-image'] === undefined ? {} : { PYTHON_IMAGE: values['python-image'] }),
  };
}

await runCheck(async () => {
  const engine = Engine.find();
  const bases = basesOf(engine);
  engine.build('runtime', IMAGE, bases);
  engine.build('python-worker', PYTHON_IMAGE, bases);
  const check = new ImageCheck(engine);
  check.version();
  check.nativeFiles();
  await check.roles();
  const size = Number(engine.do('image', 'inspect', '--format', '{{.Size}}', IMAGE));
  console.log(`the image works: ${Math.round(size / 1e6)} MB, bases ${Object.values(bases).join(' and ')}`);
});
