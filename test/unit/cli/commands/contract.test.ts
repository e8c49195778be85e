/** `zeromq-gateway contract diff`: sources, output and exit codes. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../../../../src/cli/program.ts';
import { tempFolder } from '../../../helpers/temp.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

async function diff(cwd: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await run(['contract', 'diff', ...args], {
    cwd,
    env: {},
    out: (text) => out.push(text),
    err: (text) => err.push(text),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const documentOf = (maximum: number, values: readonly string[]): string => `
openapi: 3.0.3
info: { title: Items, version: '1' }
paths:
  /items:
    get:
      x-event-name: items.list
      parameters:
        - { in: query, name: limit, schema: { type: integer, maximum: ${maximum} } }
      responses:
        '200':
          description: Items
          content:
            application/json:
              schema: { type: string, enum: [${values.join(', ')}] }
`;

function files(t: TestContext): string {
  const folder = tempFolder(t);
  writeFileSync(path.join(folder, 'old.yaml'), documentOf(100, ['a']));
  writeFileSync(path.join(folder, 'narrow.yaml'), documentOf(50, ['a']));
  writeFileSync(path.join(folder, 'more.yaml'), documentOf(100, ['a', 'b']));
  writeFileSync(path.join(folder, 'wide.yaml'), documentOf(200, ['a']));
  return folder;
}

describe('contract diff', () => {
  it('lists breaking changes by operation and exits with 1', async (t) => {
    const { code, out } = await diff(files(t), 'old.yaml', 'narrow.yaml');
    assert.equal(code, 1);
    assert.equal(
      out,
      [
        'GET /items',
        '  breaking  the query parameter limit: maximum is tighter (request-bound-tightened)',
        '1 breaking change, 0 warnings, 0 other changes',
      ].join('\n'),
    );
  });

  it('exits with 0 without breaking changes', async (t) => {
    const folder = files(t);
    assert.deepEqual(await diff(folder, 'old.yaml', 'old.yaml'), {
      code: 0,
      out: 'no changes for HTTP clients',
      err: '',
    });
    assert.equal((await diff(folder, 'old.yaml', 'more.yaml')).code, 0);
    assert.equal((await diff(folder, 'old.yaml', 'wide.yaml')).code, 0);
  });

  it('--fail-on selects the level for exit code 1', async (t) => {
    const folder = files(t);
    const codes = async (file: string): Promise<number[]> => {
      const levels = ['breaking', 'warning', 'info', 'never'];
      return Promise.all(
        levels.map(async (level) => (await diff(folder, 'old.yaml', file, '--fail-on', level)).code),
      );
    };
    assert.deepEqual(await codes('narrow.yaml'), [1, 1, 1, 0]);
    assert.deepEqual(await codes('more.yaml'), [0, 1, 1, 0]);
    assert.deepEqual(await codes('wide.yaml'), [0, 0, 1, 0]);
  });

  it('--json prints counts and changes', async (t) => {
    const { code, out } = await diff(files(t), 'old.yaml', 'more.yaml', '--json');
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(out), {
      counts: { breaking: 0, warning: 1, info: 0 },
      changes: [
        {
          level: 'warning',
          rule: 'response-value-added',
          method: 'get',
          path: '/items',
          text: 'the response 200 (application/json): "b" may be returned',
        },
      ],
    });
  });

  it('reads URLs, and worker files with a contract', async (t) => {
    const server = createServer((_, response) => response.end(documentOf(100, ['a'])));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/openapi.yaml`;
    assert.equal((await diff(files(t), 'old.yaml', url)).out, 'no changes for HTTP clients');
    server.closeAllConnections();
    const echo = path.join(ROOT, 'workers/echo.ts');
    assert.equal((await diff(ROOT, echo, echo)).out, 'no changes for HTTP clients');
    const { code, out } = await diff(ROOT, echo, path.join(files(t), 'old.yaml'));
    assert.equal(code, 1);
    assert.match(out, /POST \/echo\n {2}breaking {2}the operation was removed/);
  });

  it('exits with 2 and names the version that cannot be read', async (t) => {
    const folder = files(t);
    writeFileSync(
      path.join(folder, 'broken.yaml'),
      'openapi: 3.0.3\npaths: { /a: { get: { parameters: 5 } } }\n',
    );
    writeFileSync(path.join(folder, 'plain.mjs'), 'export default {};\n');
    for (const [args, message] of [
      [['old.yaml', 'none.yaml'], /NEW must be a file that exists|new/],
      [['broken.yaml', 'old.yaml'], /^error: old: broken\.yaml|^error: old: .*broken\.yaml/],
      [
        ['old.yaml', 'plain.mjs'],
        /^error: new: .*plain\.mjs: the default export must be the result of defineWorker/,
      ],
      [['old.yaml', 'http://127.0.0.1:9/openapi.json'], /^error: new: cannot read http:\/\/127\.0\.0\.1:9/],
      [['old.yaml'], /new/i],
    ] as const) {
      const { code, out, err } = await diff(folder, ...args);
      assert.deepEqual([code, out], [2, ''], err);
      assert.match(err, message);
    }
  });
});
