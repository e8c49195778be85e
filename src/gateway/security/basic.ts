/** The Basic scheme (RFC 7617): user name and password in the header Authorization. */

import type { GatewayLogger } from '../common/api-source.ts';
import { hasControls } from '../common/bcrypt-hash.ts';
import { openKeyFile } from '../common/reloaded-file.ts';
import type { BasicSchemeSettings } from '../common/settings.ts';
import { type AuthenticationResult, type Authenticator, MISSING } from './authenticator.ts';
import type { Credentials } from './guard.ts';
import { readUsers } from './htpasswd.ts';
import { passwordChecks } from './password-checks.ts';
import { PasswordTable, type UserAndPassword } from './password-table.ts';

/** Base64 of user name, colon and password; the padding is optional. */
const BASIC = /^Basic +([A-Za-z0-9+/]+)={0,2} *$/i;

/**
 * Maximum length of the header, in characters. bcrypt uses only the first 72 bytes of a password.
 */
const MAX_LENGTH = 1024;

const MALFORMED: AuthenticationResult = {
  kind: 'invalid',
  reason: 'the Authorization header does not hold a user name and a password as RFC 7617 has them, in UTF-8',
};

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Authenticates callers by user name and password, with users from the settings and from a file.
 */
export class BasicAuthenticator implements Authenticator {
  readonly checksScopes = true;
  private readonly table: () => PasswordTable;

  /**
   * @throws {ZeroMQConfigError} when the file of users cannot be used or bcrypt cannot be loaded.
   */
  constructor(name: string, { users = [], file }: BasicSchemeSettings, logger: GatewayLogger) {
    const check = passwordChecks();
    const parse = (text: string): PasswordTable => new PasswordTable(readUsers(users, text), check);
    if (file === undefined) {
      const table = parse('');
      this.table = () => table;
    } else {
      const keyFile = openKeyFile(name, 'file', file, parse, logger);
      this.table = () => keyFile.value;
    }
  }

  serves(type: string): boolean {
    return type === 'http basic';
  }

  authenticate({
    headers: { authorization },
  }: Credentials): Promise<AuthenticationResult> | AuthenticationResult {
    if (authorization === undefined) return MISSING;
    if (!/^Basic(?: |$)/i.test(authorization)) {
      return {
        kind: 'invalid',
        reason: 'the Authorization header is not of the Basic scheme',
        isOther: true,
      };
    }
    const given = read(authorization);
    return given === undefined ? MALFORMED : this.table().find(given);
  }

  /** The charset asks clients to encode credentials in UTF-8 (RFC 7617, 2.1). */
  challenge(realm: string): string {
    return `Basic realm="${realm}", charset="UTF-8"`;
  }
}

/**
 * Reads user name and password, normalised to NFC as the charset of the challenge requires (RFC
 * 7617, 2.1).
 */
function read(authorization: string): UserAndPassword | undefined {
  const encoded = authorization.length > MAX_LENGTH ? undefined : BASIC.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const text = decode(Buffer.from(encoded, 'base64'));
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon < 0 || hasControls(text)) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes).normalize('NFC');
  } catch {
    return undefined;
  }
}
