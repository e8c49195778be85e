/**
 * `npm run systemd:check`: installs the package and the units of deploy/systemd into a Debian made by
 * debootstrap, starts it with systemd as process 1, and checks what systemd does with the units:
 * readiness, reloads, the watchdog, restarts, and the end of restarts after invalid settings. Needs
 * root, debootstrap and systemd-nspawn (the Debian package systemd-container).
 *
 * `--root FOLDER` keeps the system in this folder; the next run with it does not install Debian again.
 */
import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BootedSystem } from './lib/booted-system.ts';
import { addNode, createDebian } from './lib/debian.ts';
import { ROOT, run, runCheck, until } from './lib/run.ts';

/** A unit, and the settings in its configuration file. */
interface Node {
  readonly unit: string;
  readonly command: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

const ROUTER: Node = { unit: 'zeromq-router.service', command: 'router', settings: {} };
const GATEWAY: Node = {
  unit: 'zeromq-http-gateway.service',
  command: 'gateway',
  settings: { admin: '127.0.0.1:9091' },
};
const WORKER: Node = { unit: 'zeromq-worker@hello.service', command: 'worker', settings: {} };
const NODES = [ROUTER, GATEWAY, WORKER] as const;

/** How long a unit may take to reach a state, in ms. The watchdog of the units takes 30 s. */
const PATIENCE = 120_000;

/** More starts than systemd's default limit allows: 5 within 10 s. */
const STARTS = 8;

/** Where the units read their settings. */
const FOLDER = 'etc/zeromq-gateway';

/** Writes the configuration file of a unit. */
function configure(root: string, { command }: Node, settings: Node['settings']): void {
  const file = path.join(root, FOLDER, `${command}.json`);
  writeFileSync(file, JSON.stringify({ [command]: settings }));
}

/** Installs Debian, the package, a project with a worker, and the units. */
function install(root: string): void {
  mkdirSync(root, { recursive: true });
  // The units run without privileges, and must be able to enter the root of their system.
  chmodSync(root, 0o755);
  if (!existsSync(path.join(root, 'etc/debian_version'))) createDebian(root, ['systemd', 'systemd-sysv']);
  addNode(root, 'usr');
  run(process.execPath, ['scripts/build.mjs', '--package']);
  const packed = path.join(root, 'tmp');
  const [file = ''] = run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', packed])
    .split('\n')
    .slice(-1);
  run('npm', ['install', '--global', '--prefix', path.join(root, 'usr'), path.join(packed, file)]);
  const project = path.join(root, 'srv/zeromq-workers');
  rmSync(project, { recursive: true, force: true });
  run(process.execPath, [
    path.join(root, 'usr/lib/node_modules/zeromq-gateway/dist/cli/main.js'),
    ...['new', 'project', 'hello', '--folder', project],
  ]);
  run('npm', ['install', '--omit=dev', '--no-audit', '--no-fund'], { cwd: project });
  cpSync(path.join(ROOT, 'deploy/systemd'), path.join(root, 'etc/systemd/system'), { recursive: true });
  mkdirSync(path.join(root, FOLDER), { recursive: true });
  for (const node of NODES) {
    const name = `${node.command}.env`;
    writeFileSync(path.join(root, FOLDER, name), `ZMQ_GATEWAY_CONFIG=/${FOLDER}/${node.command}.json\n`);
    configure(root, node, node.settings);
  }
}

class Check {
  constructor(
    private readonly system: BootedSystem,
    private readonly root: string,
  ) {}

  async run(): Promise<void> {
    await this.step('a worker is started when a router has accepted it', () => this.start());
    await this.step('a reload applies the settings in the same process', () => this.reload());
    await this.step('a reload of invalid settings changes nothing and ends nothing', () => this.badReload());
    await this.step('the watchdog replaces a process that hangs', () => this.watchdog());
    await this.step(`${STARTS} failures in a row do not end the restarts`, () => this.failures());
    await this.step('another fault at the start is tried again', () => this.portTaken());
    await this.step('invalid settings end the restarts', () => this.badSettings());
    await this.step('a stop drains', () => this.stop());
  }

  private async step(what: string, check: () => Promise<void>): Promise<void> {
    try {
      await check();
      console.log(`ok: ${what}`);
    } catch (error) {
      const { output } = this.system.exec('journalctl', ['--no-pager', '--boot', '--lines', '60']);
      throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}\n${output}`);
    }
  }

  private systemctl(...args: string[]): void {
    const { code, output } = this.system.exec('systemctl', args);
    if (code !== 0) throw new Error(`systemctl ${args.join(' ')} failed: ${output}`);
  }

  private property({ unit }: Node, name: string): string {
    return this.system.exec('systemctl', ['show', '--value', '--property', name, unit]).output;
  }

  private pidOf(node: Node): number {
    return Number(this.property(node, 'MainPID'));
  }

  private pids(): number[] {
    return NODES.map((node) => this.pidOf(node));
  }

  /** Resolves when the property has the value. */
  private async untilProperty(node: Node, name: string, value: string): Promise<void> {
    const status = (): string => this.system.exec('systemctl', ['status', '--no-pager', node.unit]).output;
    await until(
      () => this.property(node, name) === value,
      () => `${name} of ${node.unit} is not ${value}:\n${status()}`,
      PATIENCE,
    );
  }

  private async untilLogged({ unit }: Node, text: string): Promise<void> {
    const args = ['--no-pager', '--boot', '--output', 'cat', '--unit', unit];
    const log = (): string => this.system.exec('journalctl', args).output;
    await until(
      () => log().includes(text),
      () => `${unit} did not log "${text}":\n${log()}`,
      PATIENCE,
    );
  }

  private configure(node: Node, settings: Node['settings']): void {
    configure(this.root, node, settings);
  }

  /** Resolves when the gateway answers from the worker. */
  private async untilServed(): Promise<void> {
    const ask = `fetch('http://127.0.0.1:8080/hello/world').then((r) => r.text()).then(console.log)`;
    const answer = (): string => this.system.exec('node', ['--eval', ask]).output;
    await until(
      () => /"message":/.test(answer()),
      () => `the gateway does not serve: ${answer()}`,
      PATIENCE,
    );
  }

  private async start(): Promise<void> {
    assert.equal(this.system.initName, 'systemd');
    this.systemctl('start', '--no-block', WORKER.unit);
    await this.untilLogged(WORKER, 'no connection to the router yet');
    assert.equal(this.property(WORKER, 'ActiveState'), 'activating');
    this.systemctl('start', ROUTER.unit, GATEWAY.unit);
    await this.untilProperty(WORKER, 'ActiveState', 'active');
    for (const node of NODES) {
      assert.equal(this.property(node, 'ActiveState'), 'active', node.unit);
      assert.match(this.property(node, 'StatusText'), /(tcp|http):\/\//, node.unit);
      assert.equal(this.property(node, 'StartLimitIntervalUSec'), '0', node.unit);
    }
    await this.untilServed();
  }

  private async reload(): Promise<void> {
    const before = this.pids();
    for (const node of NODES) {
      this.configure(node, { ...node.settings, logLevel: 'debug' });
      this.systemctl('reload', node.unit);
      await this.untilLogged(node, 'SIGHUP');
      await this.untilLogged(node, 'reloaded the settings');
      assert.equal(this.property(node, 'ActiveState'), 'active', node.unit);
    }
    assert.deepEqual(this.pids(), before);
  }

  private async badReload(): Promise<void> {
    const before = this.pids();
    for (const node of NODES) {
      this.configure(node, { ...node.settings, logLevel: 'loud' });
      this.systemctl('reload', node.unit);
      await this.untilLogged(node, 'cannot reload the settings');
      this.configure(node, node.settings);
    }
    assert.deepEqual(this.pids(), before);
    await this.untilServed();
  }

  private async watchdog(): Promise<void> {
    const before = this.pids();
    // A stopped process does not turn its event loop.
    for (const pid of before) this.system.exec('kill', ['-STOP', String(pid)]);
    for (const [at, node] of NODES.entries()) {
      await this.untilLogged(node, 'Watchdog timeout');
      await this.untilProperty(node, 'NRestarts', '1');
      await this.untilProperty(node, 'ActiveState', 'active');
      assert.notEqual(this.pidOf(node), before[at], node.unit);
    }
    await this.untilServed();
  }

  private async failures(): Promise<void> {
    const before = Number(this.property(ROUTER, 'NRestarts'));
    for (let restarts = before + 1; restarts <= before + STARTS; restarts += 1) {
      this.systemctl('kill', '--signal', 'KILL', '--kill-who', 'main', ROUTER.unit);
      await this.untilProperty(ROUTER, 'NRestarts', String(restarts));
      await until(
        () => this.pidOf(ROUTER) > 0,
        () => 'the router does not start',
        PATIENCE,
      );
    }
    await this.untilProperty(ROUTER, 'ActiveState', 'active');
    await this.untilServed();
  }

  private async portTaken(): Promise<void> {
    // The admin listener of the gateway has this port.
    this.configure(ROUTER, { admin: '127.0.0.1:9091' });
    this.systemctl('restart', '--no-block', ROUTER.unit);
    await this.untilProperty(ROUTER, 'NRestarts', '2');
    await this.untilLogged(ROUTER, 'status=1/FAILURE');
    this.configure(ROUTER, ROUTER.settings);
    await this.untilProperty(ROUTER, 'ActiveState', 'active');
    await this.untilServed();
  }

  private async badSettings(): Promise<void> {
    for (const node of NODES) {
      this.configure(node, { ...node.settings, noSuchSetting: 1 });
      assert.notEqual(this.system.exec('systemctl', ['restart', node.unit]).code, 0, node.unit);
      const state = ['ActiveState', 'SubState', 'ExecMainStatus', 'NRestarts'];
      assert.deepEqual(
        state.map((name) => this.property(node, name)),
        ['failed', 'failed', '2', '0'],
        node.unit,
      );
      this.configure(node, node.settings);
    }
    this.systemctl('start', ...NODES.map(({ unit }) => unit));
    await this.untilServed();
  }

  private async stop(): Promise<void> {
    for (const node of [GATEWAY, WORKER, ROUTER]) {
      this.systemctl('stop', node.unit);
      await this.untilProperty(node, 'ActiveState', 'inactive');
      const ended = ['Result', 'ExecMainStatus'].map((name) => this.property(node, name));
      assert.deepEqual(ended, ['success', '0'], node.unit);
    }
  }
}

await runCheck(async () => {
  const { values } = parseArgs({ options: { root: { type: 'string' } } });
  const temporary = mkdtempSync(path.join(tmpdir(), 'zeromq-gateway-systemd-'));
  const root = path.resolve(values.root ?? path.join(temporary, 'root'));
  try {
    install(root);
    const system = await BootedSystem.boot(root);
    try {
      console.log(system.exec('systemctl', ['--version']).output.split('\n')[0]);
      await new Check(system, root).run();
    } finally {
      await system.close();
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
});
