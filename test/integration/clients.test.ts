// test:all: 15 s; framework-client.test.ts represents it
/**
 * Clients that third-party tools generate from the live document work with the sample workers, and
 * linters report no error in that document.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import spectral from '@stoplight/spectral-core';
import rulesets from '@stoplight/spectral-rulesets';
import openapiTS, { astToString } from 'openapi-typescript';
import SwaggerClient from 'swagger-client';
import { startSamples } from '../helpers/gateway/samples.ts';
import { Scope } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { PROGRAM } from './clients-program.ts';

const ROOT = join(import.meta.dirname, '../..');
const LIMIT = 20_000;
/** A start takes longer while other tests use the CPU. */
const timeout = 4 * LIMIT;
/** Severities of spectral's diagnostics. */
const ERROR = 0;
const run = promisify(execFile);
const binOf = (name: string, bin: string) => join(ROOT, 'node_modules', name, bin);

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    noUncheckedIndexedAccess: true,
    target: 'ES2022',
    module: 'NodeNext',
    rewriteRelativeImportExtensions: true,
    skipLibCheck: true,
    types: ['node'],
    outDir: 'dist',
    rootDir: '.',
  },
  files: ['program.ts'],
};

describe('clients of the live document', () => {
  const scope = new Scope();
  const folder = tempFolder(scope);
  let url: string;
  let document: Record<string, unknown>;

  before(async () => {
    ({ url } = await startSamples(scope));
    const response = await fetch(`${url}/openapi.json`, { headers: { connection: 'close' } });
    document = (await response.json()) as Record<string, unknown>;
    writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document));
  });
  after(() => scope.close());

  it('openapi-typescript and openapi-fetch: the generated types match the replies and reject invalid calls', {
    timeout,
  }, async () => {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    writeFileSync(join(folder, 'api.ts'), astToString(await openapiTS(JSON.stringify(document))));
    writeFileSync(join(folder, 'program.ts'), PROGRAM);
    const node = (...args: string[]) => run(process.execPath, args, { cwd: folder });
    await node(binOf('typescript', 'bin/tsc'), '-p', folder);
    const { stdout } = await node('dist/program.js', url);
    assert.equal(stdout, 'all calls are answered\n');
  });

  // It replaces all characters of operation names but letters and digits with _.
  it('swagger-client: executes the operations of the live document', { timeout }, async () => {
    const client = await SwaggerClient(`${url}/openapi.json`);
    assert.deepEqual(client.errors, []);
    const { body, status } = await client.execute({
      operationId: 'tasks_create',
      requestBody: { title: 'try swagger-client' },
    });
    assert.equal(status, 201);
    const { id } = body as { id: number };
    const read = await client.execute({ operationId: 'tasks_get', parameters: { id } });
    assert.deepEqual(read.body, body);
    const list = await client.execute({ operationId: 'tasks_list', parameters: { q: 'swagger', limit: 5 } });
    assert.equal((list.body as { total: number }).total, 1);
    const echo = await client.execute({ operationId: 'echo_get', parameters: { message: 'a b/ü' } });
    assert.deepEqual(echo.body, { message: 'a b/ü' });
    await assert.rejects(
      client.execute({ operationId: 'tasks_get', parameters: { id: 999_999 } }),
      (error: { status?: number }) => error.status === 404,
    );
  });

  it('redocly lint: finds no error in the live document', { timeout }, async () => {
    writeFileSync(join(folder, 'redocly.yaml'), 'extends: [recommended]\n');
    const require = createRequire(import.meta.url);
    const cli = join(require.resolve('@redocly/cli/package.json'), '../bin/cli.js');
    const args = [cli, 'lint', '--config', 'redocly.yaml', '--format', 'json', 'openapi.json'];
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
    const { stdout } = await run(process.execPath, args, { cwd: folder, env });
    const { totals } = JSON.parse(stdout) as { totals: { errors: number } };
    assert.equal(totals.errors, 0, stdout);
  });

  it('spectral: finds no error in the live document with its rules for OpenAPI', { timeout }, async () => {
    const linter = new spectral.Spectral();
    linter.setRuleset({ extends: [[rulesets.oas as spectral.RulesetDefinition, 'all']] });
    const results = await linter.run(document);
    const errors = results.filter(({ severity }) => Number(severity) === ERROR);
    assert.deepEqual(errors, []);
  });
});
