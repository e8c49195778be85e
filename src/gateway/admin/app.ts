/** The Express app of the admin listener. */
import { fileURLToPath } from 'node:url';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import { isLogSetting, LOG_SETTINGS } from '../../core/logging/log-level.ts';
import { toError } from '../../core/messages/errors.ts';
import { healthOf, statusOf } from '../../core/observability/health.ts';
import { METRICS_TYPE } from '../../metrics/index.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import { addApi } from './api.ts';
import type { AdminGuard } from './guard.ts';
import type { AdminSource } from './source.ts';

/** Folder of the dashboard. Its files contain nothing confidential. */
const UI = fileURLToPath(new URL('./ui/', import.meta.url));

/** Maximum size of a request body, in bytes. */
const BODY_LIMIT = 16 * 1024;

/** All resources come from the listener itself, and no page may embed the dashboard in a frame. */
const CONTENT_SECURITY_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    baseUri: ["'none'"],
    connectSrc: ["'self'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
    imgSrc: ["'self'", 'data:'],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
  },
};

/** Creates the app. */
export function adminApp(source: AdminSource, guard: AdminGuard, logger: GatewayLogger): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(helmet({ contentSecurityPolicy: CONTENT_SECURITY_POLICY, strictTransportSecurity: false }));
  app.use(guard.host, (_req, res, next) => {
    res.setHeader('Cache-Control', 'no-store');
    next();
  });
  addPublicRoutes(app, source);
  app.use(express.static(UI, { index: 'index.html', etag: true }));
  app.use(guard.caller, express.json({ limit: BODY_LIMIT, strict: true }));
  addLogLevel(app, source, logger);
  addApi(app, source, logger);
  app.use((req, res) => {
    res
      .status(404)
      .json({ status: 404, detail: `The admin listener has no path ${req.path.slice(0, 200)}.` });
  });
  app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) =>
    respondToError(error, res, logger),
  );
  return app;
}

/** Adds the routes that need no token. */
function addPublicRoutes(app: Express, source: AdminSource): void {
  app.get('/livez', (_req, res) => {
    res.json(healthOf([]));
  });
  app.get('/readyz', async (_req, res) => {
    const health = await source.health();
    res.status(statusOf(health)).json(health);
  });
  app.get('/metrics', async (_req, res) => {
    const text = await source.metrics();
    res.setHeader('Content-Type', METRICS_TYPE);
    res.end(text);
  });
}

function addLogLevel(app: Express, source: AdminSource, logger: GatewayLogger): void {
  app.get('/log-level', (_req, res) => {
    res.json({ level: source.logLevel });
  });
  app.put('/log-level', (req, res) => {
    const { level } = (req.body ?? {}) as { level?: unknown };
    if (!isLogSetting(level)) {
      const detail = `level must be one of ${LOG_SETTINGS.join(', ')}.`;
      res.status(400).json({ status: 400, detail });
      return;
    }
    const { logLevel: before } = source;
    source.logLevel = level;
    logger.warn({ before, level }, 'changed the log level');
    res.json({ level });
  });
}

/**
 * Errors of the request have a status of 4xx. The detail of all other errors goes to the log only.
 */
function respondToError(error: unknown, res: Response, logger: GatewayLogger): void {
  const { status } = error as { status?: unknown };
  if (typeof status === 'number' && status >= 400 && status < 500) {
    res.status(status).json({ status, detail: toError(error).message });
    return;
  }
  logger.error({ err: toError(error) }, 'the admin listener failed to handle a request');
  if (res.headersSent) res.destroy();
  else
    res.status(500).json({
      status: 500,
      detail: 'The admin listener failed to handle the request; the log contains the reason.',
    });
}
