/** A project in a folder with a space in its name, and `zeromq-gateway dev` running in it. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { FREE_PORTS, startCommand } from './command.ts';
import { PATIENCE } from './patience.ts';
import type { RunningProcess } from './processes.ts';
import type { Cleanup } from './scope.ts';
import { tempFolder } from './temp.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Files of a project by their path. */
export type ProjectFiles = Readonly<Record<string, string>>;

/** Returns a worker file. `answer` is an expression of what its only handler replies. */
export function workerText(
  name: string,
  answer: string,
  {
    path: route = `/${name}/{id}`,
    head = '',
    data = 'id: Joi.string().required()',
    event = `${name}.get`,
  } = {},
): string {
  return `import Joi from 'joi';
import { defineContract, defineWorker } from 'zeromq-gateway';
${head}
const contract = defineContract({
  name: '${name}',
  events: { '${event}': { method: 'GET', path: '${route}', data: Joi.object<{ id: string }>({ ${data} }) } },
});

export default defineWorker({
  contract,
  handlers: {
    '${event}': async ({ id }) => (${answer}),
  },
});
`;
}

export class DevProject {
  readonly folder: string;
  private started: RunningProcess | undefined;
  private url = '';

  /** @param packages packages of this project that it can import. */
  constructor(
    private readonly cleanup: Cleanup,
    files: ProjectFiles,
    packages: readonly string[] = ['joi', 'tsx'],
  ) {
    this.folder = path.join(tempFolder(cleanup), 'my shop');
    const modules = path.join(this.folder, 'node_modules');
    mkdirSync(path.join(modules, '@types'), { recursive: true });
    mkdirSync(path.join(this.folder, 'workers'));
    symlinkSync(ROOT, path.join(modules, 'zeromq-gateway'));
    for (const name of packages) symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
    this.write('package.json', '{"type":"module"}');
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  get node(): RunningProcess {
    if (this.started === undefined) throw new Error('dev is not started');
    return this.started;
  }

  /** Starts `dev` and waits for its ready line. */
  async start(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const all = ['dev', '--port', '0', ...FREE_PORTS, '--admin', 'off', '--typecheck', 'off', ...args];
    const colours = { FORCE_COLOR: undefined, NO_COLOR: undefined };
    this.started = startCommand(this.cleanup, all, { cwd: this.folder, env: { ...colours, ...env } });
    const line = await this.started.waitForLine(/ is ready: /);
    this.url = new URL(/ready: (http:\S+?)(?:,|$)/.exec(line)?.[1] ?? '').origin;
    return line;
  }

  write(name: string, text: string): void {
    const file = path.join(this.folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** Replaces a file by renaming another one, as many editors save. */
  replace(name: string, text: string): void {
    this.write(`${name}.tmp~`, text);
    renameSync(path.join(this.folder, `${name}.tmp~`), path.join(this.folder, name));
  }

  remove(name: string): void {
    rmSync(path.join(this.folder, name));
  }

  /** Changes files and waits until the output matches from then on. Returns that output. */
  async after(change: () => void, matches: RegExp): Promise<string> {
    const { node } = this;
    const from = node.stderr.length;
    change();
    await node.waitForError(matches, PATIENCE, from);
    return node.stderr.slice(from);
  }

  /** Saves a file and waits until it is reloaded. Returns the output without requests. */
  async save(name: string, text: string, matches = new RegExp(`^reloaded .*`, 'm')): Promise<string> {
    const output = await this.after(() => this.write(name, text), matches);
    return output.replaceAll(/^GET .*\n/gm, '');
  }

  async get(route: string): Promise<{ readonly status: number; readonly body: unknown }> {
    const response = await fetch(this.url + route);
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }

  /** Paths of the served document. */
  async paths(): Promise<string[]> {
    const { body } = await this.get('/openapi.json');
    return Object.keys((body as { paths: object }).paths).sort();
  }
}
