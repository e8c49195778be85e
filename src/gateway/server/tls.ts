/**
 * TLS of the gateway's own server: an HTTPS server whose certificate and key are read again when
 * their files change.
 */
import { readFileSync, statSync } from 'node:fs';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer, type Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import { diagnostics } from '../../core/observability/diagnostics.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import type { TlsSettings } from '../common/settings.ts';

/** Interval between checks of the files, in milliseconds. */
const CHECK_INTERVAL = 1000;

/** Certificate with its chain, and private key, both in PEM. */
interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** @throws {Error} when a file cannot be read, or certificate and key do not belong together. */
function read({ cert, key }: TlsSettings): Identity {
  const identity = { cert: readFileSync(cert), key: readFileSync(key) };
  createSecureContext(identity);
  return identity;
}

/** A text that differs after a change of the files; symbolic links are followed. */
function stateOf({ cert, key }: TlsSettings): string {
  return [cert, key]
    .map((file) => statSync(file, { throwIfNoEntry: false }))
    .map((stat) => (stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`))
    .join(', ');
}

/**
 * The certificate of a server. It follows changes of its files. Certificate and key change one after
 * the other, so they are read when neither has changed for one interval.
 */
export class Certificate {
  private used: string;
  private seen: string;
  private current: Identity;
  private server: HttpsServer | undefined;

  /** @throws {ZeroMQConfigError} when the certificate or the key cannot be used. */
  constructor(
    private settings: TlsSettings,
    private readonly logger: GatewayLogger,
  ) {
    this.used = this.seen = stateOf(settings);
    this.current = readOrExplain(settings);
  }

  /** Certificate and key. */
  get identity(): Identity {
    return this.current;
  }

  /** Lets a server use the certificate, and later ones. */
  serve(server: HttpsServer): void {
    this.server = server;
    let timer: NodeJS.Timeout | undefined;
    server.on('listening', () => {
      timer = setInterval(() => this.check(), CHECK_INTERVAL).unref();
    });
    server.on('close', () => clearInterval(timer));
  }

  /**
   * Reads the certificate of other files, or of the same ones again.
   *
   * @returns a function that makes the server use it for new connections.
   * @throws {ZeroMQConfigError} when the certificate or the key cannot be used.
   */
  prepare(settings: TlsSettings | undefined = this.settings): () => void {
    const state = stateOf(settings);
    const identity = readOrExplain(settings);
    return () => {
      this.settings = settings;
      this.used = this.seen = state;
      this.use(identity);
    };
  }

  /** Reads the files if they have changed. */
  private check(): void {
    const state = stateOf(this.settings);
    const isSettled = state === this.seen;
    this.seen = state;
    if (!isSettled || state === this.used) return;
    this.used = state;
    const { cert: file } = this.settings;
    try {
      this.use(read(this.settings));
      this.logger.info({ file }, 'reloaded the TLS certificate');
      diagnostics.fileReloaded.publish({ what: 'certificate', ok: true });
    } catch (error) {
      const err = toError(error);
      this.logger.error({ file, err }, 'the changed TLS certificate is not valid; the old one stays');
      diagnostics.fileReloaded.publish({ what: 'certificate', ok: false });
    }
  }

  private use(identity: Identity): void {
    this.current = identity;
    this.server?.setSecureContext(identity);
  }
}

function readOrExplain(settings: TlsSettings): Identity {
  try {
    return read(settings);
  } catch (error) {
    const { cert, key } = settings;
    throw new ZeroMQConfigError(`tls: cannot use ${cert} with ${key}: ${toError(error).message}`, {
      cause: error,
    });
  }
}

/**
 * Creates an HTTPS server.
 *
 * @param options `handshakeTimeout`: time allowed for the handshake, in milliseconds.
 */
export function newTlsServer(
  certificate: Certificate,
  options: ServerOptions & { readonly handshakeTimeout: number },
  listener: RequestListener,
): Server {
  const server = createServer({ ...options, ...certificate.identity, ALPNProtocols: ['http/1.1'] }, listener);
  certificate.serve(server);
  closeHandshakes(server);
  return server;
}

/** Lets `closeAllConnections` also close connections whose handshake has not finished. */
function closeHandshakes(server: HttpsServer): void {
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.closeAllConnections = () => {
    for (const socket of connections) socket.destroy();
  };
}
