/**
 * Schemes that a proxy in front of the gateway checks. The proxy may pass the name of the caller in
 * a header.
 */
import proxyAddr from 'proxy-addr';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import type { GatewaySettings, TrustSchemeSettings } from '../common/settings.ts';
import type { AuthenticationResult, Authenticator } from './authenticator.ts';
import type { Credentials } from './guard.ts';

/** Maximum length of a caller name from the header, in characters. */
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

/** Trusts that a proxy has authenticated the caller. */
export class TrustAuthenticator implements Authenticator {
  readonly checksScopes = false;
  private readonly header: string | undefined;
  /** Returns whether an address belongs to a proxy; undefined if every address is trusted. */
  private readonly isProxy: ((address: string, hop: number) => boolean) | undefined;

  /**
   * Logs a warning that the gateway does not check the scheme.
   *
   * @param trustProxy proxies that the gateway trusts already; a list of addresses applies here
   *   too.
   * @throws {ZeroMQConfigError} when a proxy is not an address or network.
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
    // A proxy may have added its header next to one from the client; which one is right is
    // unknown.
    return others.length > 0 || id.length > MAX_NAME ? UNCLEAR : { kind: 'known', caller: { id } };
  }

  /**
   * A 401 response needs a challenge (RFC 9110, 15.5.2), but no registered scheme expresses that a
   * proxy decides.
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
