/** Images and containers of podman or docker, for the check of the container image. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { addNode, createDebian, TRUSTED } from './debian.ts';
import { isInstalled, run } from './run.ts';

/** Names and values of build arguments, such as `NODE_IMAGE`. */
export type BuildArguments = Readonly<Record<string, string>>;

export class Engine {
  private constructor(
    private readonly program: string,
    private readonly builder: readonly [string, ...string[]],
  ) {}

  /** The engine of this machine. @throws {Error} when there is none. */
  static find(): Engine {
    const program = ['podman', 'docker'].find(isInstalled);
    if (program === undefined) throw new Error('neither podman nor docker is installed');
    // The image format of OCI, which is their default, has no health checks.
    const format = ['--format', 'docker'] as const;
    if (isInstalled('buildah')) return new Engine(program, ['buildah', 'bud', ...format]);
    return new Engine(program, [program, 'build', ...(program === 'podman' ? format : [])]);
  }

  /** Builds a stage of the Dockerfile. */
  build(target: string, image: string, values: BuildArguments): void {
    const [builder, ...words] = this.builder;
    const given = Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
    run(builder, [...words, ...given, '--target', target, '--tag', image, '.'], { show: true });
  }

  /** Runs a command of the engine, and returns its output. */
  do(...args: readonly string[]): string {
    return run(this.program, args);
  }

  /** The user of an image, and its health check as an array such as `CMD, node, …`. */
  configOf(image: string): { user: string; check: string[] } {
    const field = (format: string): string => this.do('image', 'inspect', '--format', format, image);
    const check = JSON.parse(field('{{json .Config.Healthcheck}}')) as { Test?: string[] } | null;
    if (check?.Test === undefined) throw new Error(`the image ${image} has no health check`);
    return { user: field('{{.Config.User}}'), check: check.Test };
  }

  /** Runs the health check of the image in a container once. */
  isHealthy(container: string, check: readonly string[]): boolean {
    const [kind, ...command] = check;
    if (kind !== 'CMD') throw new Error(`the health check is not in exec form: ${check.join(' ')}`);
    // Docker runs it at its interval only.
    const args =
      this.program === 'podman' ? ['healthcheck', 'run', container] : ['exec', container, ...command];
    return spawnSync(this.program, args).status === 0;
  }

  /** Removes a container and its volumes, if it exists. */
  remove(container: string): void {
    spawnSync(this.program, ['rm', '--force', '--volumes', container]);
  }

  /**
   * Creates base images of this machine, for use without a registry: Debian by debootstrap, and the
   * Node.js that runs this process.
   */
  createBases(): BuildArguments {
    const folder = mkdtempSync(path.join(tmpdir(), 'zeromq-gateway-bases-'));
    const root = path.join(folder, 'root');
    try {
      mkdirSync(root);
      createDebian(root);
      const python = this.importRoot(root, 'localhost/zeromq-gateway-base/debian:check');
      addNode(root, 'usr/local');
      run('chroot', [root, 'useradd', '--uid', '1000', '--create-home', 'node']);
      const node = this.importRoot(root, 'localhost/zeromq-gateway-base/node:check');
      return { NODE_IMAGE: node, PYTHON_IMAGE: python };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  private importRoot(root: string, image: string): string {
    const archive = `${root}.tar`;
    run('tar', ['--create', '--file', archive, '--directory', root, '.']);
    // npm trusts the authorities of its own binary otherwise.
    const trust = existsSync(path.join(root, TRUSTED))
      ? ['--change', `ENV npm_config_cafile=${TRUSTED}`]
      : [];
    this.do('import', ...trust, archive, image);
    return image;
  }
}
