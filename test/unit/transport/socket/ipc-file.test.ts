import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { ZeroMQSocketInvalid } from '../../../../src/core/messages/errors.ts';
import { clearIpcPath } from '../../../../src/transport/socket/ipc-file.ts';
import { failOnLeftovers } from '../../../helpers/leftovers.ts';
import { startProcess } from '../../../helpers/processes.ts';
import { type Scope, scopeOf } from '../../../helpers/scope.ts';
import { ipcPath } from '../../../helpers/temp.ts';

failOnLeftovers();

/** A socket file whose process was killed. */
async function stalePath(scope: Scope): Promise<string> {
  const path = ipcPath(scope);
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('ready'))`;
  const child = startProcess(scope, process.execPath, ['-e', script]);
  await child.waitForLine(/ready/);
  child.kill('SIGKILL');
  await child.exited;
  assert.ok(existsSync(path), 'a killed process leaves its socket file');
  return path;
}

describe('clearIpcPath', () => {
  it('clearIpcPath: accepts a free path', async (t) => {
    await clearIpcPath(ipcPath(scopeOf(t)));
  });

  it('clearIpcPath: removes the socket file of a process that has ended', async (t) => {
    const path = await stalePath(scopeOf(t));
    await clearIpcPath(path);
    assert.ok(!existsSync(path));
  });

  it('clearIpcPath: keeps the socket file of a running process', async (t) => {
    const scope = scopeOf(t);
    const path = ipcPath(scope);
    const server = createServer((socket) => socket.destroy()).listen(path);
    scope.after(() => server.close());
    await once(server, 'listening');
    await assert.rejects(clearIpcPath(path), {
      constructor: ZeroMQSocketInvalid,
      code: 'EADDRINUSE',
      message: /another process listens there/,
    });
    assert.ok(existsSync(path));
  });

  it('clearIpcPath: keeps a link and a file that is not a socket', async (t) => {
    const scope = scopeOf(t);
    const path = ipcPath(scope);
    writeFileSync(path, 'text');
    await assert.rejects(clearIpcPath(path), { code: 'EADDRINUSE', message: /not a socket/ });
    const link = ipcPath(scope);
    symlinkSync(path, link);
    await assert.rejects(clearIpcPath(link), { code: 'EADDRINUSE' });
    assert.ok(existsSync(path) && existsSync(link));
  });

  it('clearIpcPath: ignores the abstract namespace and paths that libzmq chooses', async () => {
    await clearIpcPath('@name');
    await clearIpcPath('*');
  });
});
