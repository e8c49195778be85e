/** The allow list: public keys with their names and permissions. */
import type Joi from 'joi';
import { lazyPackage } from '../../core/identity/lazy-package.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { MAX_EVENT_NAME } from '../../wire/limits.ts';
import { isKey } from './keys.ts';
import { PEER_ROLES, type PeerAuthenticator, type PeerGrant, PeerPermissions } from './permissions.ts';

const joi = lazyPackage<typeof Joi>('joi');

/** One entry of an {@link AllowList}: a public key and its permissions. */
export interface AllowListEntry extends PeerGrant {
  /** Public key of the peer: 40 characters of Z85 (ZeroMQ RFC 32). */
  readonly publicKey: string;
  /**
   * Domains in which the peer is admitted.
   *
   * @defaultValue all domains
   */
  readonly domains?: readonly string[];
}

/** The content of an {@link AllowList}. */
export interface AllowListDocument {
  /** One entry for each peer; names and public keys are unique. */
  readonly peers: readonly AllowListEntry[];
}

/** Schema of the document; created when the first list is read. */
let schema: Joi.Schema | undefined;

function documentSchema(): Joi.Schema {
  const Joi = joi();
  const key = Joi.string()
    .custom((value: string, helpers) => (isKey(value) ? value : helpers.error('key.z85')))
    .messages({ 'key.z85': '{{#label}} must be a public key, 40 characters of Z85' });

  const patterns = Joi.array().items(
    Joi.string()
      .max(MAX_EVENT_NAME)
      .pattern(/^(?!\$)[^*]*\*?$/)
      .messages({
        'string.pattern.base':
          '{{#label}} must be an event name, or a prefix followed by *, and must not start with $',
      }),
  );

  const paths = Joi.array().items(
    Joi.string()
      .pattern(/^\/[^*?#]*$/)
      .messages({ 'string.pattern.base': '{{#label}} must be a path that starts with /' }),
  );

  const onlyFor = (roles: readonly string[], kind: Joi.Schema): Joi.Schema => {
    const text = `{{#label}} is only allowed for the role ${roles.join(' or ')}`;
    return kind.when('role', {
      is: Joi.valid(...roles),
      otherwise: Joi.forbidden().messages({ 'any.unknown': text }),
    });
  };

  return Joi.object({
    peers: Joi.array()
      .items(
        Joi.object({
          name: Joi.string().max(255).required(),
          publicKey: key.required(),
          role: Joi.string()
            .valid(...PEER_ROLES)
            .required(),
          calls: onlyFor(['client', 'worker'], patterns),
          serves: onlyFor(['worker'], patterns),
          paths: onlyFor(['worker'], paths),
          domains: Joi.array().items(Joi.string()).min(1),
        }),
      )
      .unique('publicKey')
      .unique('name')
      .required(),
  }).required();
}

interface KnownPeer {
  readonly permissions: PeerPermissions;
  readonly domains: readonly string[] | undefined;
}

/**
 * Lists the peers that may connect and their permissions. Peers that are not on the list are
 * rejected.
 *
 * @example
 * ```ts
 * const { publicKey } = readKeyFile('gateway.key');
 * const authenticator = new AllowList({
 *   peers: [{ name: 'gateway', role: 'client', publicKey, calls: ['tasks.*'] }],
 * });
 * ```
 */
export class AllowList implements PeerAuthenticator {
  private known: ReadonlyMap<string, KnownPeer>;
  private readonly listeners = new Set<() => void>();

  /**
   * Creates an allow list.
   *
   * @param document the entries
   * @param source where the document comes from, such as a file name; used in error messages
   * @throws {ZeroMQConfigError} when the document is invalid; the message lists every problem
   */
  constructor(document: AllowListDocument, source = 'allow list') {
    this.known = read(document, source);
  }

  /** The number of keys on the list. */
  get size(): number {
    return this.known.size;
  }

  /**
   * Replaces the list. Peers whose key was removed are cut; other peers get their new permissions
   * immediately.
   *
   * @param document the new entries
   * @param source where the document comes from, such as a file name; used in error messages
   * @throws {ZeroMQConfigError} when the document is invalid; the message lists every problem, and
   *   the previous list stays in force
   */
  replace(document: AllowListDocument, source = 'allow list'): void {
    const next = read(document, source);
    for (const [key, { permissions, domains }] of next) {
      const before = this.known.get(key);
      // A peer with unchanged permissions keeps its object, and with it the results cached there.
      if (before?.permissions.equals(permissions))
        next.set(key, { permissions: before.permissions, domains });
    }
    this.known = next;
    for (const listener of this.listeners) listener();
  }

  permissionsOf(publicKey: string, domain: string): PeerPermissions | undefined {
    const known = this.known.get(publicKey);
    return known === undefined || known.domains?.includes(domain) === false ? undefined : known.permissions;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

function read(document: unknown, source: string): Map<string, KnownPeer> {
  schema ??= documentSchema();
  const { error } = schema.validate(document, { abortEarly: false, convert: false });
  if (error !== undefined) {
    const problems = error.details.map(({ message }) => message);
    throw new ZeroMQConfigError(`${source}: ${problems.join('; ')}`);
  }
  const { peers } = document as AllowListDocument;
  return new Map(
    peers.map(({ publicKey, domains, ...grant }) => [
      publicKey,
      { permissions: new PeerPermissions(grant), domains },
    ]),
  );
}
