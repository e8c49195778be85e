/**
 * Why an address cannot be reached. The monitor of libzmq reports that an attempt to connect failed,
 * but not why.
 */
import { createConnection, type NetConnectOpts } from 'node:net';
import { type ZeroMQConnection, ZeroMQIPCConnection, ZeroMQTCPConnection } from '../addressing/connection.ts';

/** How long an attempt may take, in ms. */
const ATTEMPT_TIME = 3000;

/** Connects once, without the protocol of ZeroMQ. Resolves with the error, or undefined. */
export async function whyUnreachable(connection: ZeroMQConnection): Promise<string | undefined> {
  const options = addressOf(connection);
  if (options === undefined) return undefined;
  return new Promise((resolve) => {
    const socket = createConnection(options);
    const end = (reason: string | undefined): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.unref();
    socket.setTimeout(ATTEMPT_TIME, () => end(describe('ETIMEDOUT', connection)));
    socket.once('connect', () => end(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(describe(error.code ?? 'unknown error', connection)),
    );
  });
}

function addressOf(connection: ZeroMQConnection): NetConnectOpts | undefined {
  if (connection instanceof ZeroMQTCPConnection) return { host: connection.host, port: connection.port };
  if (!(connection instanceof ZeroMQIPCConnection)) return undefined;
  return { path: connection.ipcPath.replace(/^@/, '\0') };
}

function describe(code: string, connection: ZeroMQConnection): string {
  const host = connection instanceof ZeroMQTCPConnection ? connection.host : '';
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused: no process listens there';
    case 'ENOTFOUND':
    case 'EAI_NONAME':
      return `cannot resolve the name ${host}: it does not exist; check the spelling and the DNS`;
    case 'EAI_AGAIN':
      return `cannot resolve the name ${host}: the DNS server does not answer`;
    case 'ETIMEDOUT':
      return 'no answer to the attempt to connect; check the address, and firewalls on the way';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'no route to the host; check the address and the network';
    case 'ENOENT':
      return 'the socket file does not exist; check the path, and that the other process runs';
    case 'EACCES':
      return 'the permissions of the socket file do not allow this process to connect';
    default:
      return `cannot connect (${code})`;
  }
}
