/** Settings of encryption and of the allow list. */
import type { Logger } from '../../core/logging/logging.ts';
import { diagnostics } from '../../core/observability/diagnostics.ts';
import { toConnection, ZeroMQTCPConnection } from '../../transport/addressing/connection.ts';
import { AllowListFile } from '../../transport/curve/allow-list-file.ts';
import {
  CurveClient,
  type CurveClientOptions,
  type CurveServerOptions,
} from '../../transport/curve/curve-options.ts';
import { readKeyFile, readPublicKeyFile } from '../../transport/curve/key-file.ts';
import { type CurveKeyPair, keyPairOf } from '../../transport/curve/keys.ts';
import { UsageError } from '../settings/errors.ts';
import { isKeyAndNoFile, publicKey, secretKey } from '../settings/key-types.ts';
import { flagOf, optional, setting, type ValuesOf, variableOf } from '../settings/settings.ts';
import { booleanFlag, file, list, text } from '../settings/value-types.ts';
import type { Listener } from './endpoints.ts';
import type { Resources } from './serve.ts';

const KEY_SETTINGS = {
  curveKey: optional(file, {
    description: "File with the node's CURVE key pair, as written by keygen; only its owner may read it",
    group: 'Security',
    defaultNote: 'none',
  }),
  curveSecretKey: optional(secretKey, {
    description: 'Secret key itself, instead of --curve-key',
    group: 'Security',
    environmentOnly: true,
  }),
};

/** Settings of nodes that connect to routers or servers. */
export const CURVE_CLIENT_SETTINGS = {
  curveServerKey: optional(list(publicKey), {
    description:
      'Public CURVE key of the routers or server, or a file with it; enables encryption. Two while the key is replaced',
    group: 'Security',
    defaultNote: 'no encryption',
  }),
  ...KEY_SETTINGS,
};

/** Settings of nodes that listen. */
export const CURVE_SERVER_SETTINGS = {
  ...KEY_SETTINGS,
  allowList: optional(file, {
    description:
      'File with the public keys that may connect and their permissions (docs/security/curve.md); needs CURVE keys',
    group: 'Security',
    defaultNote: 'every key may connect and do everything',
  }),
  curveDomain: setting(text, {
    description: 'Name of this node for the domains in allow list entries',
    group: 'Security',
    default: 'global',
  }),
  insecure: setting(booleanFlag, {
    description: 'Allow listening on other interfaces than loopback without encryption',
    group: 'Security',
    default: false,
  }),
};

type Keys = ValuesOf<typeof KEY_SETTINGS>;

/**
 * Returns the CURVE options of a node that connects.
 *
 * @throws {UsageError} when the settings contradict each other.
 * @throws {ZeroMQConfigError} when a key is invalid.
 */
export function clientCurve(values: ValuesOf<typeof CURVE_CLIENT_SETTINGS>): CurveClientOptions | undefined {
  const { curveServerKey } = values;
  const keys = keysOf(values);
  if (curveServerKey !== undefined) {
    const serverKey = curveServerKey.map((key) => (isKeyAndNoFile(key) ? key : readPublicKeyFile(key)));
    return { serverKey, ...keys };
  }
  if (keys === undefined) return undefined;
  const ways = `${flagOf('curveServerKey')} or ${variableOf('curveServerKey')}`;
  throw new UsageError([
    `curveServerKey is missing: a node with a key pair also needs the public key of the server it connects to; set ${ways}`,
  ]);
}

/**
 * Prepares the change of the CURVE keys of a node that connects.
 *
 * @returns the keys; undefined if the node has none.
 * @throws {UsageError} when keys would be added or removed.
 * @throws {ZeroMQConfigError} when a key is invalid.
 */
export function changedClientCurve(
  before: CurveClientOptions | undefined,
  values: ValuesOf<typeof CURVE_CLIENT_SETTINGS>,
): CurveClientOptions | undefined {
  const after = clientCurve(values);
  if (
    (before === undefined) !== (after === undefined) ||
    (before?.secretKey === undefined) !== (after?.secretKey === undefined)
  )
    throw new UsageError(['adding or removing CURVE keys needs a restart']);
  // Validates them.
  if (after !== undefined) new CurveClient(after);
  return after;
}

/**
 * Returns the CURVE options of a node that listens. The allow list follows changes of its file
 * until `resources` is closed.
 *
 * @throws {UsageError} when the settings contradict each other, or when other machines could
 * connect without encryption.
 * @throws {ZeroMQConfigError} when a key or the allow list is invalid.
 */
export function serverCurve(
  values: ValuesOf<typeof CURVE_SERVER_SETTINGS>,
  listeners: readonly Listener[],
  logger: Logger,
  resources: Resources,
): CurveServerOptions | undefined {
  const { allowList, curveDomain: domain } = values;
  const keys = keysOf(values);
  if (keys === undefined) {
    assertPrivate(values, listeners);
    return undefined;
  }
  // libzmq ends all connections of an endpoint when its key changes.
  resources.reloads.add<Keys>({
    names: [],
    prepare: (next) => {
      if (keysOf(next)?.publicKey === keys.publicKey) return () => undefined;
      throw new UsageError([
        'a change of the key of a node that listens needs a restart; give the nodes that connect to it both ' +
          'public keys before',
      ]);
    },
  });
  if (allowList === undefined) {
    logger.warn(
      'no allow list is configured: every peer that knows the public key can call and serve all events; set --allow-list',
    );
    return { ...keys, domain };
  }
  const authenticator = new AllowListFile(allowList, {
    onReload: (name) => {
      logger.info({ file: name }, 'reloaded the allow list');
      diagnostics.fileReloaded.publish({ what: 'allow-list', ok: true });
    },
    onError: (error, name) => {
      logger.error(
        { file: name, reason: error.message },
        'cannot reload the allow list: the previous version stays in use',
      );
      diagnostics.fileReloaded.publish({ what: 'allow-list', ok: false });
    },
  });
  resources.add(() => authenticator.close());
  return { ...keys, domain, authenticator };
}

function keysOf({ curveKey, curveSecretKey }: Keys): CurveKeyPair | undefined {
  if (curveKey !== undefined && curveSecretKey !== undefined) {
    throw new UsageError([`curveKey and ${variableOf('curveSecretKey')} are both set; set only one of them`]);
  }
  if (curveKey !== undefined) return readKeyFile(curveKey);
  return curveSecretKey === undefined ? undefined : keyPairOf('curve', curveSecretKey, undefined);
}

function assertPrivate(
  { allowList, insecure }: ValuesOf<typeof CURVE_SERVER_SETTINGS>,
  listeners: readonly Listener[],
): void {
  const keys = `${flagOf('curveKey')} or ${variableOf('curveSecretKey')}`;
  if (allowList !== undefined) throw new UsageError([`allowList requires encryption: set ${keys}`]);
  if (insecure) return;
  const exposed = listeners.filter(({ endpoint }) => !isPrivate(endpoint));
  if (exposed.length === 0) return;
  const ways = `set ${keys}, or ${flagOf('insecure')} if the network is private`;
  throw new UsageError(
    exposed.map((each) => {
      return `${each.setting}: ${each.endpoint} is reachable from other machines without encryption; ${ways}`;
    }),
  );
}

/** Whether only processes on this machine can connect. */
function isPrivate(endpoint: string): boolean {
  const connection = toConnection(endpoint);
  if (!(connection instanceof ZeroMQTCPConnection)) return true;
  return /^(127\.\d+\.\d+\.\d+|::1|localhost|lo)$/i.test(connection.bindHost);
}
