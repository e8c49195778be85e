/**
 * Every code block of README.md and docs/ that can run is run.
 *
 * - `ts`: type-checked, all in one program, and run; each must end by itself.
 * - `sh`: `npm start` and `npm test` must be scripts of package.json. Other commands run against one
 *   `zeromq-gateway up`, whose ports replace the default ones; the ports in `OWN_PORTS` are for what
 *   a page starts itself. A comment after a command, up to `;`, is its expected output. Commands that
 *   keep running are stopped at the end of the page.
 * - `json`, `yaml`, `python`: parsed.
 *
 * A block below a line that ends in `` `name.ext`: `` becomes that file for the commands of its page.
 * `no-run: reason` after the language skips a block.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import ts from 'typescript';
import { parse as parseYaml } from 'yaml';
import { freePort } from '../../scripts/lib/ports.ts';
import { endpointIn, FREE_PORTS, MAIN, START_TIMEOUT, startNode, urlIn } from '../helpers/command.ts';
import { within } from '../helpers/eventually.ts';
import { type RunningProcess, startProcess } from '../helpers/processes.ts';
import { Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { type CodeBlock, codeBlocks, PAGES, ROOT } from './pages.ts';

/** Time in ms for an example to end by itself. The machine may be busy with other tests. */
const EXAMPLE_TIMEOUT = 10_000 * (process.env['ZMQ_GATEWAY_TEST_RUN'] === undefined ? 1 : 3);

/** Languages that cannot be run. */
const STATIC_LANGUAGES = ['', 'text', 'ini', 'diff'];

const BLOCKS = PAGES.flatMap((page) => codeBlocks(page));
const nameOf = ({ page, line, language }: CodeBlock): string => `${page}:${line} (${language})`;
const of = (...languages: string[]): CodeBlock[] =>
  BLOCKS.filter(({ language }) => languages.includes(language));
const skip = ({ noRun }: CodeBlock) => (noRun === undefined ? {} : { skip: noRun });

const files = new Map<CodeBlock, string>();
const scope = new Scope();

/** Writes the TypeScript of all pages into a folder of the project, so that imports resolve to its packages. */
before(() => {
  const cache = path.join(ROOT, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, 'snippets-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const block of of('ts')) {
    const home = path.join(folder, block.page.replace(/\W+/g, '-'));
    mkdirSync(home, { recursive: true });
    const file = path.join(home, block.file ?? `line-${block.line}.ts`);
    // `export {}` makes the block a module, so that its names do not clash with those of other blocks.
    writeFileSync(file, /^(import|export) /m.test(block.text) ? block.text : `${block.text}export {};\n`);
    files.set(block, file);
  }
});
after(() => scope.close());

function typeErrors(roots: readonly string[]): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(path.join(ROOT, 'tsconfig.json'), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (fault) => assert.fail(JSON.stringify(fault.messageText)),
  });
  const program = ts.createProgram([...roots], config?.options ?? {});
  const sources = roots.flatMap((root) => program.getSourceFile(root) ?? []);
  const errors = sources.flatMap((source) => [
    ...program.getSyntacticDiagnostics(source),
    ...program.getSemanticDiagnostics(source),
  ]);
  return errors.map(({ file, start = 0, messageText }) => {
    const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
    return `${path.relative(ROOT, file?.fileName ?? '')}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}

describe('ts', () => {
  it('all blocks type-check', () => assert.deepEqual(typeErrors([...files.values()]), []));

  describe('blocks end by themselves', { concurrency: 2 }, () => {
    for (const block of of('ts')) {
      it(nameOf(block), skip(block), async (t) => {
        const file = files.get(block) ?? '';
        const options = { cwd: ROOT, env: { ZMQ_GATEWAY_DATA: tempFolder(scopeOf(t)) } };
        const example = startProcess(scopeOf(t), process.execPath, ['--import', 'tsx', file], options);
        const { code } = await within(example.exited, 'the end of the example', EXAMPLE_TIMEOUT);
        assert.equal(code, 0, example.stderr);
        assert.doesNotMatch(example.stderr, /Warning/);
        assertPrinted(block, example.lines);
      });
    }
  });
});

/** Asserts that each comment after `console.log(…)` equals a printed line. */
function assertPrinted({ text }: CodeBlock, lines: readonly string[]): void {
  const printed = [...text.matchAll(/console\.log\(.*\);(?:\n *| +)\/\/ (.+)$/gm)].map(
    ([, output]) => output,
  );
  for (const output of printed)
    assert.ok(lines.includes(output ?? ''), `${output} is not among:\n${lines.join('\n')}`);
}

/** Commands that run until they are stopped. */
const ENDLESS = /^zeromq-gateway (up|gateway|router|worker|server)\b/;

/** One running `up`, and its addresses for those in the pages. */
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

  /** Replaces the addresses in `text`, and the keys of `ports`. */
  addressed(shown: string, ports: ReadonlyMap<string, string>): string {
    let text = shown;
    for (const [address, real] of this.addresses) text = text.replaceAll(address, real);
    return text.replace(/\b\d{4}\b/g, (port) => ports.get(port) ?? port);
  }
}

/** Ports that pages give to what they start themselves; each page gets free ones in their place. */
const OWN_PORTS = ['8081', '8082', '6555', '6556', '6557', '9190'];

async function ownPorts(): Promise<ReadonlyMap<string, string>> {
  const free = new Map<string, string>();
  for (const port of OWN_PORTS) free.set(port, String(await freePort()));
  return free;
}

/** Creates a folder with the named files of a page, in which `zeromq-gateway` and `npx` run this build. */
function workplace(
  cleanup: Scope,
  page: string,
  addressed: (text: string) => string,
): { cwd: string; env: NodeJS.ProcessEnv } {
  const cwd = mkdtempSync(path.join(ROOT, '.cache', 'shell-'));
  cleanup.after(() => rmSync(cwd, { recursive: true, force: true }));
  for (const block of BLOCKS) {
    if (block.page === page && block.file !== undefined) {
      writeFileSync(path.join(cwd, block.file), addressed(block.text));
    }
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

/** Runs the commands of one page in order; those that keep running stay up beside the others. */
class Terminals {
  private readonly workplace: ReturnType<typeof workplace>;

  constructor(
    private readonly cleanup: Scope,
    page: string,
    private readonly system: System,
    private readonly ports: ReadonlyMap<string, string>,
  ) {
    this.workplace = workplace(cleanup, page, (text) => system.addressed(text, ports));
  }

  async run({ text }: CodeBlock): Promise<void> {
    for (const { command, output } of shellLines(text)) {
      const script = /^npm (?:run )?(\S+)$/.exec(command)?.[1];
      if (script !== undefined) assert.ok(script in scripts(), `package.json has no script ${script}`);
      else if (ENDLESS.test(command)) await this.start(command).waitForLine(/ is ready: /, START_TIMEOUT);
      else await this.expect(command, output);
    }
  }

  private start(command: string): RunningProcess {
    return startProcess(
      this.cleanup,
      'sh',
      ['-c', `exec ${this.system.addressed(command, this.ports)}`],
      this.workplace,
    );
  }

  /** Runs a command to its end. Repeats it while a process that was started before is not ready yet. */
  private async expect(command: string, output = ''): Promise<void> {
    const until = performance.now() + EXAMPLE_TIMEOUT;
    for (;;) {
      const shell = this.start(command);
      const { code } = await within(shell.exited, `the end of ${command}`, EXAMPLE_TIMEOUT);
      const printed = shell.lines.join('\n');
      const refused = command.startsWith('curl') && output === '' && printed.startsWith('{"type":');
      if (code === 0 && printed.includes(output) && !refused) return;
      if (performance.now() > until) {
        assert.fail(`${command}: exit code ${code}, wanted ${output}\n${printed}\n${shell.stderr}`);
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

describe('sh', () => {
  let system: System;
  before(async () => {
    system = await System.start(scope);
  });

  for (const page of PAGES) {
    const blocks = of('sh').filter((block) => block.page === page);
    if (blocks.length > 0) describe(page, () => runPage(page, blocks, () => system));
  }

  it('npx finds the command in a clone', async (t) => {
    const npx = startProcess(scopeOf(t), 'npx', ['--no-install', 'zeromq-gateway', '--version'], {
      cwd: ROOT,
    });
    assert.equal((await npx.exited).code, 0, npx.stderr);
  });
});

function runPage(page: string, blocks: readonly CodeBlock[], system: () => System): void {
  const pageScope = new Scope();
  let terminals: Terminals;
  before(async () => {
    terminals = new Terminals(pageScope, page, system(), await ownPorts());
  });
  after(() => pageScope.close());
  for (const block of blocks) it(nameOf(block), skip(block), () => terminals.run(block));
}

describe('data', () => {
  for (const block of of('json', 'yaml')) {
    it(`${nameOf(block)} parses`, () => {
      assert.ok((block.language === 'json' ? JSON.parse(block.text) : parseYaml(block.text)) !== undefined);
    });
  }
});

const python = spawnSync('python3', ['--version']).status === 0 ? {} : { skip: 'python3 is not installed' };

describe('python', python, () => {
  for (const block of of('python')) {
    it(`${nameOf(block)} parses`, () => {
      const parse = 'import ast, sys; ast.parse(sys.stdin.read())';
      const { status, stderr } = spawnSync('python3', ['-c', parse], { input: block.text, encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    });
  }
});

it('every block has a known language', () => {
  const known = [...STATIC_LANGUAGES, 'ts', 'sh', 'json', 'yaml', 'python'];
  const unknown = BLOCKS.filter(({ language, noRun }) => !known.includes(language) && noRun === undefined);
  assert.deepEqual(unknown.map(nameOf), []);
});
