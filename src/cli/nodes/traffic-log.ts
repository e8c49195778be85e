/** What a command that serves HTTP writes about requests and routes. */
import { withQuietRequests } from '../../core/observability/node-facts.ts';
import type { GatewaySettingsInput } from '../../gateway/index.ts';
import type { ApiRegistry } from '../../openapi/index.ts';
import type { CommandContext } from '../settings/command.ts';
import { painter } from '../terminal/colours.ts';
import { logRequests, type RequestLogOptions } from '../terminal/request-log.ts';
import { withQuietInfo } from '../terminal/terminal-log.ts';
import { logChanges } from './change-log.ts';
import type { CommandLog } from './logging.ts';
import type { Resources } from './serve.ts';

/** Settings of the access log. */
export interface AccessLogSettings {
  readonly accessLog: boolean;
  readonly http: unknown;
}

/** Settings that concern the traffic. */
interface TrafficSettings extends AccessLogSettings {
  readonly logFolder: string | undefined;
}

/** Where the traffic is logged. */
export interface TrafficLogTarget {
  readonly log: CommandLog;
  readonly context: CommandContext;
  readonly resources: Resources;
}

/** Levels of the console at which requests and changes have lines. */
const TALKATIVE: ReadonlySet<string> = new Set(['trace', 'debug', 'info']);

/** The settings of a gateway whose requests are traced. */
export interface TracedSettings<Values> {
  /** The settings. The access log is off if other lines replace it. */
  readonly values: Values;
  /** A logger that does not repeat the lines. */
  readonly logger: CommandLog['logger'];
  /** Changes settings in the same way. */
  readonly adapt: <Other extends AccessLogSettings>(values: Other) => Other;
}

/**
 * Writes a line for each request, if the log is text for people. Returns the settings of the
 * gateway.
 */
export function traceRequests<Values extends TrafficSettings>(
  values: Values,
  { log, context, resources }: TrafficLogTarget,
): TracedSettings<Values> {
  // A file needs the fields of the access log; the console then shows its lines.
  if (!log.isText || (hasAccessLog(values) && values.logFolder !== undefined))
    return { values, logger: log.logger, adapt: (others) => others };
  const options: RequestLogOptions = {
    pages: hasAccessLog(values),
    enabled: () => TALKATIVE.has(log.consoleLevel),
  };
  const paint = painter(context.colours?.err);
  resources.add(logRequests((line) => context.err(line), paint, options));
  resources.reloads.add<AccessLogSettings>({
    names: ['accessLog', 'http'],
    prepare: (next) => () => {
      options.pages = hasAccessLog(next);
    },
  });
  return { values: withoutAccessLog(values), logger: withQuietInfo(log.logger), adapt: withoutAccessLog };
}

function hasAccessLog({ accessLog, http }: AccessLogSettings): boolean {
  return accessLog || (http as GatewaySettingsInput | undefined)?.accessLog === true;
}

function withoutAccessLog<Values extends AccessLogSettings>(values: Values): Values {
  const http = values.http as GatewaySettingsInput | undefined;
  return {
    ...values,
    accessLog: false,
    http: http === undefined ? undefined : { ...http, accessLog: false },
  };
}

/** The logger of a router or client in the process of a gateway whose requests have lines. */
export function quietLoggerOf({ logger, isText }: CommandLog): CommandLog['logger'] {
  return isText ? withQuietRequests(logger) : logger;
}

/** Writes a line for each change of the routes. */
export function traceChanges(registry: ApiRegistry, { log, context, resources }: TrafficLogTarget): void {
  const write = (line: string): void => {
    if (TALKATIVE.has(log.consoleLevel)) context.err(line);
  };
  const { logger, isText } = log;
  const paint = painter(context.colours?.err);
  resources.add(logChanges(registry, { logger, write: isText ? write : undefined, paint }));
}
