/**
 * Runs a page of the tutorial as a reader does: the blocks in order, files written where they are
 * shown, each command in a shell. Ports and the Python are those of the test.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePorts } from '../../scripts/lib/ports.ts';
import { codeBlocks } from '../docs/pages.ts';
import { PYTHON } from '../helpers/classic.ts';
import { within } from '../helpers/eventually.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { type RunningProcess, startProcess } from '../helpers/processes.ts';
import type { Scope } from '../helpers/scope.ts';

/** Commands that run until they are stopped, and print a ready line. */
const ENDLESS = /^(?:npx (?:--no-install )?zeromq-gateway (?:up|dev|gateway|router|worker)|npm run dev)\b/;

/** The beginning of the type of a problem. A gateway replies with one while its system starts. */
const PROBLEM = 'urn:zeromq-gateway:error:';

/** Default ports of the commands. */
const PORTS = ['8080', '5555', '5556', '5557', '9090'];
/** Other ports of the pages. They are chosen when a page is read: others may take free ports at any time. */
const MORE_PORTS = ['8081', '6555', '6556', '6557'];

/** A reader with a terminal. */
export class Reader {
  private constructor(
    private readonly scope: Scope,
    private cwd: string,
    private readonly ports: Map<string, string>,
  ) {}

  /** @param cwd folder in which the reader begins. */
  static async in(scope: Scope, cwd: string): Promise<Reader> {
    const free = await freePorts(PORTS.length);
    return new Reader(scope, cwd, new Map(PORTS.map((port, at) => [port, String(free[at])])));
  }

  /** Reads a page to its end. */
  async read(page: string): Promise<void> {
    const free = await freePorts(MORE_PORTS.length);
    MORE_PORTS.forEach((port, at) => this.ports.set(port, String(free[at])));
    for (const { language, file, text, line } of codeBlocks(page)) {
      if (file !== undefined) writeFileSync(path.join(this.cwd, file), this.addressed(text));
      if (language === 'sh')
        for (const one of text.trim().split('\n')) await this.type(one, `${page}:${line}`);
    }
  }

  /** Replaces a text in a file, and saves it. */
  edit(file: string, from: string, to: string): void {
    const place = path.join(this.cwd, file);
    const text = readFileSync(place, 'utf8');
    assert.ok(text.includes(from), `${file} contains ${from}`);
    writeFileSync(place, text.replace(from, to));
  }

  /** Types a command. A comment that begins like an output is the beginning of its output. */
  async type(line: string, place: string): Promise<void> {
    const [command = '', comment = ''] = line.split(/\s+# /);
    const folder = /^cd (.+)$/.exec(command)?.[1];
    if (folder !== undefined) this.cwd = path.resolve(this.cwd, folder);
    else if (ENDLESS.test(command)) await this.start(command).waitForLine(/ is ready: /, PATIENCE);
    else if (command.startsWith('python3 ')) this.start(command);
    else await this.expect(command, /^[[{"\d]|^\w+[,:]/.test(comment) ? comment.split('; ')[0] : '', place);
  }

  /** Runs a command to its end, again while a process that it needs is still starting. */
  private async expect(command: string, output = '', place: string): Promise<void> {
    const until = performance.now() + PATIENCE;
    for (;;) {
      const shell = this.start(command);
      const { code } = await within(shell.exited, command, 10 * PATIENCE);
      const printed = shell.lines.join('\n');
      const failed = code !== 0 || (output === '' && printed.includes(PROBLEM));
      if (!failed && printed.includes(output)) return;
      assert.ok(
        command.startsWith('curl') && performance.now() < until,
        `${place}: ${command}: exit code ${code}, expected ${output}\n${printed}\n${shell.stderr}`,
      );
    }
  }

  private start(command: string): RunningProcess {
    const isEndless = ENDLESS.test(command);
    // Without npx, which would outlive the signal that ends the test.
    const direct = isEndless ? command.replace(/^npx (--no-install )?/, 'node_modules/.bin/') : command;
    const text = this.addressed(direct).replace(/^python3\b/, `exec ${PYTHON ?? 'python3'}`);
    return startProcess(this.scope, 'bash', ['-c', isEndless ? `exec ${text}` : text], {
      cwd: this.cwd,
      env: { ...this.environment(command), NODE_TEST_CONTEXT: undefined, FORCE_COLOR: undefined },
    });
  }

  /** The default ports of a system that a command starts without naming them. */
  private environment(command: string): NodeJS.ProcessEnv {
    if (!/\b(?:up|dev)$/.test(command)) return {};
    const at = (port: string): string => `tcp://127.0.0.1:${this.ports.get(port)}`;
    return {
      ZMQ_GATEWAY_PORT: this.ports.get('8080'),
      ZMQ_GATEWAY_FRONTEND: at('5555'),
      ZMQ_GATEWAY_BACKEND: at('5556'),
      ZMQ_GATEWAY_HEARTBEAT: at('5557'),
      ZMQ_GATEWAY_ADMIN: 'off',
    };
  }

  private addressed(text: string): string {
    return text.replace(/\b\d{4}\b/g, (port) => this.ports.get(port) ?? port);
  }
}
