// test:all: 90 s, installs packages; test/integration/cli/new.test.ts uses the build
/** The package as packed by `npm pack`: its files, its types, and its use in an empty project. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { codeBlocks, PAGES, ROOT } from '../docs/pages.ts';
import { FREE_PORTS, urlIn } from '../helpers/command.ts';
import { startProcess } from '../helpers/processes.ts';
import { Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { packPackage } from './packed.ts';

const scope = new Scope();
let tarball: string;
let files: readonly string[];

/** Runs a command and returns its output. */
function run(cwd: string, command: string, args: readonly string[]): string {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}

before(async () => {
  ({ tarball, files } = await packPackage(scope));
});
after(() => scope.close());

describe('npm package', () => {
  it('contains only files that users need', () => {
    const wanted = [
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
      /^dist\/[\w./-]+\.(js|d\.ts)$/,
      /^dist\/[\w./-]+\.(html|css|svg)$/, // pages that are served
      /^dist\/gateway\/pages\/swagger-ui\/([\w.-]+\.gz|LICENSE|NOTICE)$/,
      /^docs\/(\w+\/)?[\w-]+\.md$/,
      /^(openapi|workers|templates)\/[\w./-]+\.(ts|yaml|py|txt|md|json)$/,
      /^templates\/project\/(_gitignore|_dockerignore|_Dockerfile|_github\/workflows\/ci\.yml)$/,
    ];
    assert.deepEqual(
      files.filter((file) => !wanted.some((pattern) => pattern.test(file))),
      [],
    );
    const needed = [
      'dist/index.js',
      'dist/index.d.ts',
      'dist/gateway/index.js',
      'dist/testing/index.js',
      'dist/cli/main.js',
      'workers/echo.ts',
      'LICENSE',
    ];
    assert.deepEqual(
      needed.filter((file) => !files.includes(file)),
      [],
    );
  });

  it('is small', () => {
    assert.ok(statSync(tarball).size < 1_800_000, `${statSync(tarball).size} bytes`);
  });

  it('has types for every module resolution', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
    assert.ok(analysis.types);
    // It is ESM alone: CommonJS imports it dynamically, and resolution as before Node 12.7 is not served.
    const problems = analysis.problems.filter(
      (problem) =>
        problem.kind !== 'CJSResolvesToESM' &&
        !('resolutionKind' in problem && problem.resolutionKind === 'node10'),
    );
    assert.deepEqual(problems, []);
  });
});

let app: string;

describe('npm package in an empty project', () => {
  const install = (what: string): void => {
    run(app, 'npm', ['install', what, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']);
  };

  before(() => {
    app = path.join(tempFolder(scope), 'app');
    mkdirSync(app);
    const about = { name: 'app', private: true, type: 'module' };
    writeFileSync(path.join(app, 'package.json'), JSON.stringify(about));
    install(tarball);
  });

  it('package: an installation takes less than 60 MB, without optional packages', () => {
    const modules = path.join(app, 'node_modules');
    const entries = readdirSync(modules, { recursive: true, withFileTypes: true });
    const bytes = entries
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
    assert.ok(bytes < 60_000_000, `${(bytes / 1e6).toFixed(1)} MB`);
    assert.ok(bytes > 30_000_000, 'the installation is incomplete');
    const names = readdirSync(modules);
    assert.deepEqual(
      ['libsql', '@libsql', '@redis', 'tsx', 'esbuild', 'swagger-ui-dist'].filter((name) =>
        names.includes(name),
      ),
      [],
    );
  });

  it('package: a TypeScript worker without tsx fails with the remedy, or runs on a Node.js that strips types', () => {
    const worker = path.join(app, 'one.ts');
    writeFileSync(
      worker,
      "import { defineWorker } from 'zeromq-gateway';\nconst one: number = 1;\nexport default defineWorker({ handlers: { one: () => one } });",
    );
    const script =
      "const { loadWorkerModule } = await import('./node_modules/zeromq-gateway/dist/worker/define-worker.js');" +
      "await loadWorkerModule('one.ts').then(() => console.log('loaded'), (error) => console.log(error.message));";
    const output = run(app, process.execPath, ['--input-type=module', '-e', script]);
    const { typescript } = process.features as { typescript?: unknown };
    if (typescript) assert.equal(output, 'loaded\n');
    else {
      assert.equal(
        output,
        'TypeScript files need tsx or Node.js 22.18: the optional package tsx is not installed; run npm install tsx\n',
      );
    }
  });

  it('runs the command `up` with the samples', async (t) => {
    // The samples need SQLite, which Node.js 20 does not have.
    if (!isBuiltin('node:sqlite')) install('libsql');
    const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    assert.equal(run(app, 'npx', ['--no-install', 'zeromq-gateway', '--version']).trim(), version);
    const command = path.join(app, 'node_modules/.bin/zeromq-gateway');
    const up = startProcess(scopeOf(t), command, ['up', '--port', '0', ...FREE_PORTS], { cwd: app });
    const url = urlIn(await up.waitForLine(/ is ready: /));
    assert.deepEqual(await (await fetch(`${url}/echo/hello`)).json(), { message: 'hello' });
    const created = await fetch(`${url}/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"title":"buy milk"}',
    });
    assert.equal(created.status, 201);
    assert.equal((await fetch(`${url}/docs/`)).status, 200);
    run(app, command, ['new', 'worker', 'hello']);
  });

  it('exports all entries', () => {
    const names =
      'console.log([a.ZeroMQClient, b.createGateway, c.testWorker].map((each) => each.name).join())';
    const imported = `import * as a from 'zeromq-gateway'; import * as b from 'zeromq-gateway/gateway'; import * as c from 'zeromq-gateway/testing'; ${names}`;
    assert.equal(
      run(app, process.execPath, ['--input-type=module', '-e', imported]),
      'ZeroMQClient,createGateway,testWorker\n',
    );
  });

  it('has types that compile without skipLibCheck', () => {
    writeFileSync(
      path.join(app, 'app.ts'),
      `import { defineWorker, type ZeroMQClient, type ZeroMQReply } from 'zeromq-gateway';
       import { ApiRegistry, createGateway, type Gateway } from 'zeromq-gateway/gateway';
       import { testContract, testWorker } from 'zeromq-gateway/testing';
       export const worker = defineWorker({ handlers: { one: () => 1 } });
       export const tested = async (): Promise<number> => {
         await using running = await testWorker(worker);
         const { failures } = await testContract('a.yaml', 'http://localhost', { fetch: running.fetch });
         return failures.length;
       };
       export const ask = (client: ZeroMQClient): Promise<ZeroMQReply<number>> => client.sendMessage<number>('one');
       export function open(requester: ZeroMQClient): Gateway {
         const gateway = createGateway({ requester, api: new ApiRegistry(), port: 0 });
         gateway.app.get('/own', (request, response) => void response.send(request.path));
         return gateway;
       }
       // @ts-expect-error a port is a number
       createGateway({ requester: undefined as unknown as ZeroMQClient, api: new ApiRegistry(), port: 'x' });`,
    );
    install('@types/express');
    const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
    const strict = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--skipLibCheck',
      'false',
    ];
    const library = ['--lib', 'es2023,esnext.disposable', '--types', 'node'];
    run(app, process.execPath, [compiler, ...strict, ...library, 'app.ts']);
  });
});

describe('npm package in a project of a user', () => {
  it('package: README, tutorial, template and samples compile under strict, with the types of all packages', () => {
    const home = path.join(app, 'strict');
    const project = path.join(ROOT, 'templates/project');
    for (const folder of ['workers', 'openapi']) {
      cpSync(path.join(ROOT, folder), path.join(home, folder), {
        recursive: true,
        filter: (file) => !/\.(py|txt)$/.test(file),
      });
    }
    for (const folder of ['workers', 'test']) {
      cpSync(path.join(project, folder), path.join(home, 'template', folder), { recursive: true });
    }
    const pages = PAGES.filter((page) => page === 'README.md' || page.startsWith('docs/tutorial/'));
    const blocks = pages.flatMap((page) => codeBlocks(page)).filter(({ language }) => language === 'ts');
    assert.ok(pages.length >= 4 && blocks.length >= 2, `${pages.length} pages, ${blocks.length} blocks`);
    for (const { page, file, line, text } of blocks) {
      const folder = path.join(home, page.replace(/\W+/g, '-'));
      mkdirSync(folder, { recursive: true });
      const whole = /^(import|export) /m.test(text) ? text : `${text}export {};\n`;
      writeFileSync(path.join(folder, file ?? `line-${line}.ts`), whole);
    }
    const text = readFileSync(path.join(project, '_tsconfig.json'), 'utf8');
    const { compilerOptions } = JSON.parse(text) as { compilerOptions: Record<string, unknown> };
    assert.equal(compilerOptions['strict'], true);
    const config = { compilerOptions: { ...compilerOptions, skipLibCheck: false }, include: ['.'] };
    writeFileSync(path.join(home, 'tsconfig.json'), JSON.stringify(config));
    run(home, process.execPath, [path.join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.']);
  });

  it('package: contracts work where the package manager hides joi, and a missing joi is named', () => {
    const linked = path.join(path.dirname(app), 'linked');
    mkdirSync(path.join(linked, 'node_modules'), { recursive: true });
    symlinkSync(
      path.join(app, 'node_modules/zeromq-gateway'),
      path.join(linked, 'node_modules/zeromq-gateway'),
    );
    writeFileSync(path.join(linked, 'package.json'), '{ "type": "module" }');
    const worker = (imports: string): string =>
      `${imports}
       const contract = defineContract({ name: 'a', events: { a: { data: Joi.object({ n: Joi.number() }) } } });
       export default defineWorker({ contract, handlers: { a: () => contract.validate('a', { n: 'x' }).errors } });`;
    const own = "import { defineContract, defineWorker, Joi } from 'zeromq-gateway';";
    writeFileSync(path.join(linked, 'own.js'), worker(own));
    const direct = "import { defineContract, defineWorker } from 'zeromq-gateway'; import Joi from 'joi';";
    writeFileSync(path.join(linked, 'direct.js'), worker(direct));
    const script = `
      const { loadWorkerModule } = await import('./node_modules/zeromq-gateway/dist/worker/define-worker.js');
      const { handlers } = await loadWorkerModule('own.js');
      console.log(JSON.stringify(handlers.a()));
      await loadWorkerModule('direct.js').catch(({ message }) => console.log(message));`;
    const output = run(linked, process.execPath, ['--input-type=module', '-e', script]);
    const [issues, message] = output.split('\n');
    assert.equal(issues, '[{"pointer":"/n","message":"must be a number"}]');
    assert.match(
      message ?? '',
      /direct\.js: Cannot find package 'joi' imported from .*direct\.js; import \{ Joi \} from 'zeromq-gateway' instead, or run npm install joi$/,
    );
  });
});

it('npm package: has a bill of materials with every production dependency and no other', () => {
  const sbom = JSON.parse(run(ROOT, 'npm', ['run', '--silent', 'sbom'])) as {
    bomFormat: string;
    components: { name: string; version: string; licenses?: unknown[] }[];
  };
  assert.equal(sbom.bomFormat, 'CycloneDX');
  const found = new Map(sbom.components.map((each) => [each.name, each]));
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'devDependencies', Record<string, string>>;
  for (const name of [...Object.keys(dependencies), 'qs']) assert.ok(found.get(name)?.licenses, name);
  for (const name of Object.keys(devDependencies)) assert.ok(!found.has(name), name);
});
