/** PostgreSQL servers of tests, from Debian's packages. */
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Debian installs each major version in a folder of its own, which is not on PATH. */
const VERSIONS = '/usr/lib/postgresql';

/** The folder of the newest installed server; undefined without one. */
function programs(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined;
  const versions = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(VERSIONS, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
}

/** Why no server can be started; false if one can. */
export const POSTGRES_MISSING: string | false =
  programs() === undefined ? 'postgresql is not installed' : false;

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The server refuses to run as root: then it runs as the user that Debian's package creates. */
function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number =>
    Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

/** A command line that runs a program as the account; `setpriv` becomes the program, and keeps its pid. */
function runAs(account: Account | undefined, program: string, args: string[]): [string, string[]] {
  if (account === undefined) return [program, args];
  const { uid, gid } = account;
  return ['setpriv', [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', program, ...args]];
}

/** How to start a server, and how to reach it. */
export interface PostgresServer {
  readonly command: string;
  readonly args: readonly string[];
  /** Returns the URL of a database. */
  readonly urlOf: (database: string) => string;
}

/**
 * Creates the data of a server in an empty folder.
 *
 * @param fsync whether the server flushes commits to the disk.
 */
export function createPostgres(folder: string, port: number, fsync: boolean): PostgresServer {
  const bin = programs();
  if (bin === undefined) throw new Error('postgresql is not installed');
  const account = serverAccount();
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  const setup = [
    '--pgdata',
    data,
    '--username',
    'test',
    '--auth',
    'trust',
    '--no-sync',
    '--encoding',
    'UTF8',
  ];
  const [initdb, setupArgs] = runAs(account, join(bin, 'initdb'), setup);
  const made = spawnSync(initdb, setupArgs, { encoding: 'utf8', cwd: '/' });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    `fsync=${fsync ? 'on' : 'off'}`,
  ].flatMap((setting) => ['-c', setting]);
  const [command, args] = runAs(account, join(bin, 'postgres'), ['-D', data, ...settings]);
  return { command, args, urlOf: (name) => `postgres://test@127.0.0.1:${port}/${name}` };
}
