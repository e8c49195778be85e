/** Tests of `sh` blocks: their commands run against one `zeromq-gateway up`. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../../../scripts/lib/ports.ts';
import { endpointIn, FREE_PORTS, MAIN, startNode, urlIn } from '../../helpers/command.ts';
import { within } from '../../helpers/eventually.ts';
import { type RunningProcess, startProcess } from '../../helpers/processes.ts';
import { Scope } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { type CodeBlock, codeBlocks, ROOT } from '../pages.ts';
import { EXAMPLE_TIMEOUT, nameOf, skip } from './blocks.ts';

/** Commands that run until they are stopped. */
const ENDLESS = /^zeromq-gateway (up|gateway|router|worker|server)\b/;

/** A running `up`. Its addresses replace those on the pages. */
class System {
  private constructor(private readonly addresses: ReadonlyMap<string, string>) {}

  static async start(cleanup: Scope): Promise<System> {
    const { line } = await startNode(cleanup, ['up', '--port', '0', ...FREE_PORTS], {
      env: { ZMQ_GATEWAY_DATA: tempFolder(cleanup) },
    });
    const url = urlIn(line).replace('http://', '');
    return new System(
      new Map([
        ['localhost:8080', url],
        ['127.0.0.1:8080', url],
        ['http://127.0.0.1:9090', endpointIn(line, 'admin')],
        ['tcp://127.0.0.1:5555', endpointIn(line, 'frontend')],
        ['tcp://127.0.0.1:5556', endpointIn(line, 'backend')],
        ['tcp://127.0.0.1:5557', endpointIn(line, 'heartbeat')],
      ]),
    );
  }

  /** Replaces the default addresses in a text, and the ports that are keys of `ports`. */
  addressed(source: string, ports: ReadonlyMap<string, string>): string {
    let text = source;
    for (const [address, real] of this.addresses) text = text.replaceAll(address, real);
    return text.replace(/\b\d{4}\b/g, (port) => ports.get(port) ?? port);
  }
}

/** Ports of what pages start themselves. Each page gets free ports instead. */
const OWN_PORTS = ['8081', '8082', '6555', '6556', '6557', '9190'];

async function ownPorts(): Promise<ReadonlyMap<string, string>> {
  const free = new Map<string, string>();
  for (const port of OWN_PORTS) free.set(port, String(await freePort()));
  return free;
}

/** Creates a folder with the named files of a page, in which `zeromq-gateway` and `npx` run this build. */
function shellFolder(
  cleanup: Scope,
  page: string,
  addressed: (text: string) => string,
): { cwd: string; env: NodeJS.ProcessEnv } {
  const cache = path.join(ROOT, '.cache');
  mkdirSync(cache, { recursive: true });
  const cwd = mkdtempSync(path.join(cache, 'shell-'));
  cleanup.after(() => rmSync(cwd, { recursive: true, force: true }));
  for (const { file, text } of codeBlocks(page)) {
    if (file !== undefined) writeFileSync(path.join(cwd, file), addressed(text));
  }
  const bin = path.join(cwd, 'bin');
  mkdirSync(bin);
  symlinkSync(MAIN, path.join(bin, 'zeromq-gateway'));
  return { cwd, env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` } };
}

interface ShellLine {
  readonly command: string;
  /** Expected output. */
  readonly output: string | undefined;
}

function shellLines(text: string): ShellLine[] {
  return text
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/^npx (--no-install )?/, ''))
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [command = '', comment] = line.split(/\s+# /);
      return { command, output: /^[[{"\d]/.test(comment ?? '') ? comment?.split('; ')[0] : undefined };
    });
}

/** Runs the commands of one page in order. Commands that keep running do so until the end of the page. */
class Terminals {
  private readonly shellFolder: ReturnType<typeof shellFolder>;

  constructor(
    private readonly cleanup: Scope,
    page: string,
    private readonly system: System,
    private readonly ports: ReadonlyMap<string, string>,
  ) {
    this.shellFolder = shellFolder(cleanup, page, (text) => system.addressed(text, ports));
  }

  async run({ text }: CodeBlock): Promise<void> {
    for (const { command, output } of shellLines(text)) {
      const script = /^npm (?:run )?(\S+)$/.exec(command)?.[1];
      if (script !== undefined) assert.ok(script in scripts(), `package.json has no script ${script}`);
      else if (ENDLESS.test(command)) await this.start(command).waitForLine(/ is ready: /);
      else await this.expect(command, output);
    }
  }

  private start(command: string): RunningProcess {
    return startProcess(
      this.cleanup,
      'sh',
      ['-c', `exec ${this.system.addressed(command, this.ports)}`],
      this.shellFolder,
    );
  }

  /** Runs a command to its end. Repeats it while an earlier command of the page is not ready yet. */
  private async expect(command: string, output = ''): Promise<void> {
    const until = performance.now() + EXAMPLE_TIMEOUT;
    for (;;) {
      const shell = this.start(command);
      const { code } = await within(shell.exited, `the end of ${command}`, EXAMPLE_TIMEOUT);
      const printed = shell.lines.join('\n');
      const rejected = command.startsWith('curl') && output === '' && printed.startsWith('{"type":');
      if (code === 0 && printed.includes(output) && !rejected) return;
      if (performance.now() > until) {
        assert.fail(`${command}: exit code ${code}, expected ${output}\n${printed}\n${shell.stderr}`);
      }
    }
  }
}

function scripts(): object {
  const { scripts: known } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    scripts: object;
  };
  return known;
}

function runPage(page: string, blocks: readonly CodeBlock[], system: () => System): void {
  const pageScope = new Scope();
  let terminals: Terminals;
  before(async () => {
    terminals = new Terminals(pageScope, page, system(), await ownPorts());
  });
  after(() => pageScope.close());
  for (const block of blocks) it(nameOf(block), skip(block), () => terminals.run(block));
}

export function testShell(blocks: readonly CodeBlock[]): void {
  const scope = new Scope();
  let system: System;

  describe('sh blocks', () => {
    before(async () => {
      system = await System.start(scope);
    });
    after(() => scope.close());

    for (const page of new Set(blocks.map((block) => block.page))) {
      const own = blocks.filter((block) => block.page === page);
      describe(page, () => runPage(page, own, () => system));
    }
  });
}
