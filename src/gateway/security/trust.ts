/**
 * Schemes that are checked elsewhere: by a proxy in front of the gateway, which may say in a header
 * who calls.
 */
import proxyAddr from 'proxy-addr';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import type { GatewaySettings, TrustSchemeSettings } from '../common/settings.ts';
import type { AuthenticationResult, Authenticator } from './authenticator.ts';
import type { Credentials } from './guard.ts';

/** Longest name of a caller that is taken from a header. */
const MAX_NAME = 256;

const FOREIGN = 'the request did not come through a trusted proxy';
const UNCLEAR: AuthenticationResult = {
  kind: 'invalid',
  reason: 'the request does not name exactly one caller',
};
const UNNAMED: AuthenticationResult = {
  kind: 'missing',
  reason: 'the proxy in front of the gateway named no caller',
};

export class TrustAuthenticator implements Authenticator {
  readonly checksScopes = false;
  private readonly header: string | undefined;
  /** Whether an address is that of a proxy; undefined: every address is trusted. */
  private readonly isProxy: ((address: string, hop: number) => boolean) | undefined;

  /**
   * Warns that the scheme is not checked.
   *
   * @param trustProxy proxies that the gateway trusts already; a list of addresses counts here too.
   * @throws ZeroMQConfigError when one of the proxies is not an address or network.
   */
  constructor(
    name: string,
    { header, proxies }: TrustSchemeSettings,
    trustProxy: GatewaySettings['trustProxy'],
    logger: GatewayLogger,
  ) {
    const trusted = proxies ?? (typeof trustProxy === 'object' ? trustProxy : undefined);
    this.header = header?.toLowerCase();
    this.isProxy = trusted === undefined ? undefined : compile(name, trusted);
    const fields = { scheme: name, header, proxies: trusted };
    if (header !== undefined && trusted === undefined)
      logger.warn(
        fields,
        'the gateway does not check this security scheme and trusts its header from any address',
      );
    else logger.warn(fields, 'the gateway does not check this security scheme; it trusts that a proxy does');
  }

  serves(): boolean {
    return true;
  }

  authenticate({ req }: Credentials): AuthenticationResult {
    const given = this.header === undefined ? undefined : req.headersDistinct[this.header];
    if (this.isProxy?.(req.socket.remoteAddress ?? '', 0) === false) {
      return { kind: given === undefined ? 'missing' : 'invalid', reason: FOREIGN };
    }
    if (this.header === undefined) return { kind: 'known', caller: undefined };
    const [id = '', ...others] = given ?? [];
    if (given === undefined || (id === '' && others.length === 0)) return UNNAMED;
    // A proxy that adds its header beside one that the client sent does not say which counts.
    return others.length > 0 || id.length > MAX_NAME ? UNCLEAR : { kind: 'known', caller: { id } };
  }

  /**
   * No registered scheme says that a proxy decides; a 401 reply must have a challenge (RFC 9110,
   * 15.5.2).
   */
  challenge(realm: string): string {
    return `Proxy realm="${realm}"`;
  }
}

function compile(name: string, addresses: readonly string[]): (address: string, hop: number) => boolean {
  try {
    return proxyAddr.compile([...addresses]);
  } catch (error) {
    throw new ZeroMQConfigError(`auth.schemes.${name}.proxies: ${toError(error).message}`);
  }
}
