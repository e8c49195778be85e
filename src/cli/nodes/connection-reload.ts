/** Routers and CURVE keys of a node that connects, which change while it runs. */
import { toTargets } from '../../transport/addressing/targets.ts';
import type { CurveClientOptions } from '../../transport/curve/curve-options.ts';
import type { ValuesOf } from '../settings/settings.ts';
import { type CURVE_CLIENT_SETTINGS, changedClientCurve } from './curve.ts';
import type { Resources } from './serve.ts';

/** Settings of connections to routers. */
interface ConnectionValues extends ValuesOf<typeof CURVE_CLIENT_SETTINGS> {
  readonly router: readonly string[];
}

/** Names of the settings that can change. */
export const CONNECTION_NAMES = ['router', 'curveServerKey', 'curveKey', 'curveSecretKey'] as const;

/** Other routers and keys. */
export interface ChangedConnections {
  readonly connection: readonly string[];
  /** Undefined without encryption. */
  readonly curve: CurveClientOptions | undefined;
}

/**
 * Lets a node follow changes of its routers and keys.
 *
 * @param curve the keys in use.
 * @param use makes the node use others.
 * @param check throws if the node cannot use the routers.
 */
export function reloadConnections(
  resources: Resources,
  curve: CurveClientOptions | undefined,
  use: (changed: ChangedConnections) => void,
  check: (routers: readonly string[]) => void = toTargets,
): void {
  resources.reloads.add<ConnectionValues>({
    names: CONNECTION_NAMES,
    prepare: (values) => {
      const { router: connection } = values;
      check(connection);
      const changed = { connection, curve: changedClientCurve(curve, values) };
      return () => use(changed);
    },
  });
}
