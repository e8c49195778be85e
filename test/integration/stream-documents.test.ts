// test:all: 10 s; gateway-streams.test.ts represents it
/** Documents with streams, read by tools that this project did not write. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Joi from 'joi';
import openapiTS, { astToString } from 'openapi-typescript';
import { bytes, defineContract, formFile, ndjson, sse, upload } from '../../src/contract/index.ts';
import { ApiRegistry, asVersion32 } from '../../src/openapi/index.ts';
import { Scope } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ITEM = Joi.object({ n: Joi.number().required() });

const contract = defineContract({
  name: 'streams',
  info: { license: { name: 'MIT', url: 'https://example.com/license' } },
  security: [],
  events: {
    events: {
      method: 'GET',
      path: '/events',
      summary: 'Events',
      operationId: 'events',
      replies: { 200: sse(ITEM, { resumable: true }) },
    },
    lines: {
      method: 'GET',
      path: '/lines',
      summary: 'Lines',
      operationId: 'lines',
      replies: { 200: ndjson(ITEM) },
    },
    image: {
      method: 'GET',
      path: '/image',
      summary: 'An image',
      operationId: 'image',
      replies: { 200: bytes('image/png', { ranges: true }) },
    },
    add: {
      method: 'POST',
      path: '/add',
      summary: 'Add a photo',
      operationId: 'add',
      data: Joi.object({ title: Joi.string() }),
      body: upload({ files: { photo: { contentType: 'image/*', required: true } }, maxFiles: 3 }),
    },
    put: { method: 'PUT', path: '/raw', summary: 'Bytes', operationId: 'put', body: upload({ maxBytes: 5 }) },
    form: {
      method: 'POST',
      path: '/form',
      summary: 'A form',
      operationId: 'form',
      bodyTypes: ['multipart/form-data'],
      data: Joi.object({ photo: formFile() }),
    },
  },
});
const { document } = new ApiRegistry().put('streams', contract.fragment(), { kind: 'worker' });

const PROGRAM = `
import createClient from 'openapi-fetch';
import type { paths } from './api.ts';

export async function read(): Promise<void> {
  const client = createClient<paths>({ baseUrl: '' });
  const { data } = await client.GET('/image', { parseAs: 'stream' });
  const stream: ReadableStream | null | undefined = data;
  const { data: events } = await client.GET('/events', { parseAs: 'stream' });
  const reader = events?.getReader();
  // @ts-expect-error there is no such path
  await client.GET('/nothing', { parseAs: 'stream' });
  void [stream, reader];
}
`;
const TSCONFIG = {
  compilerOptions: {
    target: 'ES2022',
    lib: ['ES2022', 'DOM', 'DOM.Iterable'],
    module: 'NodeNext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
  },
  include: ['*.ts'],
};

describe('documents with streams', () => {
  const scope = new Scope();
  after(() => scope.close());

  for (const [version, written] of [
    ['3.1', document],
    ['3.2', asVersion32(document)],
  ] as const) {
    it(`redocly lint: finds no error in version ${version}`, async () => {
      const cwd = tempFolder(scope);
      writeFileSync(join(cwd, 'openapi.json'), JSON.stringify(written));
      writeFileSync(join(cwd, 'redocly.yaml'), 'extends: [recommended]\n');
      const cli = join(require.resolve('@redocly/cli/package.json'), '../bin/cli.js');
      const args = [cli, 'lint', '--config', 'redocly.yaml', '--format', 'json', 'openapi.json'];
      const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
      const { stdout } = await run(process.execPath, args, { cwd, env });
      const { totals } = JSON.parse(stdout) as { totals: { errors: number } };
      assert.equal(totals.errors, 0, stdout);
    });
  }

  it('openapi-typescript and openapi-fetch: a reply is read as a stream', async () => {
    const folder = tempFolder(scope);
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    writeFileSync(join(folder, 'api.ts'), astToString(await openapiTS(JSON.stringify(document))));
    writeFileSync(join(folder, 'program.ts'), PROGRAM);
    const tsc = join(require.resolve('typescript/package.json'), '../bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', folder], { cwd: folder }).catch(
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? 'tsc did not run' }),
    );
    assert.equal(stdout, '');
  });
});
