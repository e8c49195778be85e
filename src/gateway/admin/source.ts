/** What the admin listener shows and does, as an interface: the command line puts it together. */
import type { Health } from '../../core/health.ts';
import type { LogLevel } from '../../core/log-level.ts';

export interface AdminSource {
  /** All metrics in Prometheus' text format. */
  metrics(): Promise<string>;
  /** Whether the process, with all its members, can serve. */
  health(): Promise<Health>;
  /** Least level of the log on the console. */
  logLevel: LogLevel | 'silent';
}
