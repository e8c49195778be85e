import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { IniDocument } from '../../../src/core/identity/config-ini.ts';
import { type RunningProcess, startProcess } from '../../helpers/processes.ts';
import { readWithPython } from '../../helpers/python-ini.ts';
import { type Cleanup, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { TYPESCRIPT } from '../../helpers/typescript.ts';

const CHILD = fileURLToPath(new URL('identity-child.ts', import.meta.url));
const SECTIONS = ['client', 'worker', 'server', 'router'] as const;

async function startNodes(cleanup: Cleanup, path: string): Promise<RunningProcess[]> {
  const nodes = Array.from({ length: 8 }, (_, index) =>
    startProcess(cleanup, process.execPath, [...TYPESCRIPT, CHILD, path, SECTIONS[index % 4] ?? 'client']),
  );
  await Promise.all(nodes.map((node) => node.waitForLine(/^ready$/)));
  return nodes;
}

/** All nodes load their identity from the file at the same time. */
async function loadAtOnce(nodes: readonly RunningProcess[], file: string): Promise<[string, string][]> {
  for (const node of nodes) node.write(file);
  const lines = await Promise.all(
    nodes.map((node) => node.waitForLine((line) => line.startsWith(`${file} `))),
  );
  return lines.map((line) => line.split(' ').slice(1) as [string, string]);
}

describe('node ids of concurrent processes', () => {
  it('eight concurrent processes with one config file: agree on the node ids, keep their own sessions, and preserve the file', async (t) => {
    const scope = scopeOf(t);
    const folder = tempFolder(scope);
    const text = '# shared\n[DEFAULT]\nregion = north\n\n[other]\nKey: value\n';
    const rounds = Array.from({ length: 10 }, (_, index) => `${index}.ini`);
    for (const file of rounds.slice(1)) writeFileSync(join(folder, file), text);
    const nodes = await startNodes(scope, `${folder}/`);
    for (const file of rounds) {
      const loaded = await loadAtOnce(nodes, file);
      const written = readFileSync(join(folder, file), 'utf8');
      const document = IniDocument.parse(written);
      for (const [index, [nodeId]] of loaded.entries()) {
        assert.equal(document.get(SECTIONS[index % 4] ?? '', 'node_id'), nodeId);
      }
      assert.equal(new Set(loaded.map(([nodeId]) => nodeId)).size, 4);
      assert.equal(new Set(loaded.map(([, sessionId]) => sessionId)).size, 8);
      assert.equal(written.startsWith(file === '0.ini' ? '' : text), true);
      assert.equal(readWithPython([written])[0]?.error, undefined);
    }
    assert.deepEqual(readdirSync(folder).sort(), rounds, 'neither a lock nor a temporary file is left');
  });
});
