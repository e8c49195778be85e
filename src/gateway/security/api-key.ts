/**
 * security: who may send a request, and how many. Authentication, authorisation, rate limits, CORS
 * and security headers.
 *
 * API keys: stored as hashes and compared in constant time.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Caller } from '../../core/messages/message.ts';
import { cookiesOf, decode, pairsOf } from '../binding/pairs.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import { openKeyFile, type ReloadedFile } from '../common/reloaded-file.ts';
import type { ApiKeySchemeSettings, ApiKeySettings } from '../common/settings.ts';
import {
  type AuthenticationResult,
  type Authenticator,
  type CredentialLocation,
  MISSING,
} from './authenticator.ts';
import type { Credentials } from './guard.ts';

interface KnownKey {
  readonly hash: Buffer;
  readonly caller: Caller;
}

/** Maximum length of a key, in characters. */
const MAX_KEY = 1024;

/** Keys by the first bytes of their hash, in hex. These bytes reveal nothing about the key. */
type KnownKeys = ReadonlyMap<string, readonly KnownKey[]>;

/** Authenticates callers by API key, with keys from the settings and from a file. */
export class ApiKeyAuthenticator implements Authenticator {
  readonly checksScopes = true;
  private readonly configured: KnownKeys;
  private readonly file: ReloadedFile<KnownKeys> | undefined;

  /**
   * @throws {ZeroMQConfigError} when the file cannot be read or does not contain a list of keys.
   */
  constructor(name: string, { keys = [], file }: ApiKeySchemeSettings, logger: GatewayLogger) {
    this.configured = knownKeys(keys);
    if (file !== undefined) this.file = openKeyFile(name, 'file', file, parseKeys, logger);
  }

  serves(type: string): boolean {
    return type === 'apiKey';
  }

  authenticate(credentials: Credentials, location: CredentialLocation): AuthenticationResult {
    const given = findKey(credentials, location);
    if (given === undefined || given === '') return MISSING;
    const hash = hashOf(given.slice(0, MAX_KEY));
    const known = find(this.configured, hash) ?? find(this.file?.value, hash);
    if (known === undefined || given.length > MAX_KEY)
      return { kind: 'invalid', reason: 'the API key is not known' };
    return { kind: 'known', caller: known.caller };
  }

  challenge(realm: string, location: CredentialLocation): string {
    return `ApiKey realm="${realm}", in="${location.in}", name="${location.name.replace(/["\\\r\n]/g, '')}"`;
  }
}

function find(keys: KnownKeys | undefined, hash: Buffer): KnownKey | undefined {
  return keys?.get(bucketOf(hash))?.find((candidate) => timingSafeEqual(candidate.hash, hash));
}

function knownKeys(listed: readonly ApiKeySettings[]): KnownKeys {
  const keys = new Map<string, KnownKey[]>();
  for (const { id, sha256, key, scopes } of listed) {
    const hash = sha256 === undefined ? hashOf(key ?? '') : Buffer.from(sha256, 'hex');
    const bucket = bucketOf(hash);
    keys.set(bucket, [...(keys.get(bucket) ?? []), { hash, caller: { id, scopes } }]);
  }
  return keys;
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function bucketOf(hash: Buffer): string {
  return hash.toString('hex', 0, 4);
}

function findKey(
  { headers, query }: Credentials,
  { in: where, name }: CredentialLocation,
): string | undefined {
  if (where === 'header') {
    const value = headers[name.toLowerCase()];
    return typeof value === 'string' ? value : undefined;
  }
  try {
    const pairs = where === 'query' ? pairsOf(query) : cookiesOf(headers.cookie ?? '');
    const pair = pairs.find((candidate) => candidate.name === name);
    return pair === undefined ? undefined : decode(pair.raw, where === 'query');
  } catch {
    return undefined;
  }
}

function parseKeys(text: string): KnownKeys {
  const content: unknown = JSON.parse(text);
  if (Array.isArray(content) && content.every(isKey)) return knownKeys(content);
  throw new Error(
    'it must hold a list of keys such as [{ "id": "…", "sha256": "64 hex digits", "scopes": ["…"] }]',
  );
}

function isKey(value: unknown): value is ApiKeySettings {
  if (typeof value !== 'object' || value === null) return false;
  const { id, sha256, key, scopes } = value as Record<string, unknown>;
  const hashed = typeof sha256 === 'string' && /^[\da-f]{64}$/i.test(sha256);
  const plain = typeof key === 'string' && key.length >= 16;
  const scoped =
    scopes === undefined || (Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string'));
  return typeof id === 'string' && hashed !== plain && scoped;
}
