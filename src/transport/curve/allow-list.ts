/** The allow list: public keys, who bears them, and what they may do. */
import Joi from 'joi';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { MAX_EVENT_NAME } from '../../wire/limits.ts';
import { isKey } from './keys.ts';
import { PEER_ROLES, type PeerAuthenticator, type PeerGrant, PeerPermissions } from './permissions.ts';

/** One entry: a key and what it is granted. */
export interface AllowListEntry extends PeerGrant {
  /** 40 characters of Z85. */
  readonly publicKey: string;
  /** Domains in which it is let in. Default: every one. */
  readonly domains?: readonly string[];
}

/** The document. */
export interface AllowListDocument {
  readonly peers: readonly AllowListEntry[];
}

const KEY = Joi.string()
  .custom((value: string, helpers) => (isKey(value) ? value : helpers.error('key.z85')))
  .messages({ 'key.z85': '{{#label}} must be a public key, 40 characters of Z85' });

const PATTERNS = Joi.array().items(
  Joi.string()
    .max(MAX_EVENT_NAME)
    .pattern(/^(?!\$)[^*]*\*?$/)
    .messages({
      'string.pattern.base':
        '{{#label}} must be an event name, or the beginning of one and *; none starts with $',
    }),
);

const PATHS = Joi.array().items(
  Joi.string()
    .pattern(/^\/[^*?#]*$/)
    .messages({ 'string.pattern.base': '{{#label}} must be a path that starts with /' }),
);

const onlyFor = (role: string, schema: Joi.Schema): Joi.Schema =>
  schema.when('role', {
    is: role,
    otherwise: Joi.forbidden().messages({ 'any.unknown': `{{#label}} is for the role ${role} only` }),
  });

const SCHEMA = Joi.object({
  peers: Joi.array()
    .items(
      Joi.object({
        name: Joi.string().max(255).required(),
        publicKey: KEY.required(),
        role: Joi.string()
          .valid(...PEER_ROLES)
          .required(),
        calls: onlyFor('client', PATTERNS),
        serves: onlyFor('worker', PATTERNS),
        paths: onlyFor('worker', PATHS),
        domains: Joi.array().items(Joi.string()).min(1),
      }),
    )
    .unique('publicKey')
    .unique('name')
    .required(),
}).required();

interface Known {
  readonly rights: PeerPermissions;
  readonly domains: readonly string[] | undefined;
}

/** Who may connect, and what they may do. Whoever is not on it is not let in. */
export class AllowList implements PeerAuthenticator {
  private known: ReadonlyMap<string, Known>;
  private readonly listeners = new Set<() => void>();

  /**
   * @param source what faults are told of: a file name, for one.
   * @throws ZeroMQConfigError naming every fault.
   */
  constructor(document: AllowListDocument, source = 'allow list') {
    this.known = read(document, source);
  }

  /** How many keys are on it. */
  get size(): number {
    return this.known.size;
  }

  /**
   * Puts another list in its place. Peers whose key is gone are cut, others have their new rights from now on.
   *
   * @throws ZeroMQConfigError naming every fault; the list stays as it was.
   */
  replace(document: AllowListDocument, source = 'allow list'): void {
    const next = read(document, source);
    for (const [key, { rights, domains }] of next) {
      const before = this.known.get(key);
      // Who keeps his rights keeps the object, and with it what was found out by it.
      if (before?.rights.equals(rights)) next.set(key, { rights: before.rights, domains });
    }
    this.known = next;
    for (const listener of this.listeners) listener();
  }

  rightsOf(publicKey: string, domain: string): PeerPermissions | undefined {
    const known = this.known.get(publicKey);
    return known === undefined || known.domains?.includes(domain) === false ? undefined : known.rights;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

function read(document: unknown, source: string): Map<string, Known> {
  const { error } = SCHEMA.validate(document, { abortEarly: false, convert: false });
  if (error !== undefined) {
    const faults = error.details.map(({ message }) => message);
    throw new ZeroMQConfigError(`${source}: ${faults.join('; ')}`);
  }
  const { peers } = document as AllowListDocument;
  return new Map(
    peers.map(({ publicKey, domains, ...grant }) => [
      publicKey,
      { rights: new PeerPermissions(grant), domains },
    ]),
  );
}
