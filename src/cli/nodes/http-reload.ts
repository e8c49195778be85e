/** HTTP settings that change while a gateway runs. */
import type { Gateway, GatewaySettingsInput } from '../../gateway/index.ts';
import { loadHooks } from './hooks.ts';
import type { Resources } from './serve.ts';
import type { AccessLogSettings } from './traffic-log.ts';

/** Names of the settings that can change. */
export const HTTP_NAMES = ['timeout', 'accessLog', 'http', 'hooks', 'tlsCert', 'tlsKey'] as const;

/** Values of {@link HTTP_NAMES}. */
interface HttpValues extends AccessLogSettings {
  /** `dev` has a default of its own. */
  readonly timeout: number | undefined;
  readonly hooks: string[] | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
}

/**
 * Lets a gateway follow changes of its settings.
 *
 * @param settingsOf returns the settings of the gateway, with these values in place of those with
 *   which it was opened.
 */
export function reloadHttp(
  resources: Resources,
  gateway: Pick<Gateway, 'prepareReload'>,
  settingsOf: (changed: HttpValues) => GatewaySettingsInput,
): void {
  resources.reloads.add<HttpValues>({
    names: HTTP_NAMES,
    prepare: async ({ timeout, accessLog, http, hooks, tlsCert, tlsKey }) => {
      const settings = settingsOf({ timeout, accessLog, http, hooks, tlsCert, tlsKey });
      return gateway.prepareReload(settings, await loadHooks(hooks));
    },
  });
}
