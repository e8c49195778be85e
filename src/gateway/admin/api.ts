/** The JSON API of the dashboard, under `/api`. */
import type { Express, Request, Response } from 'express';
import { REQUEST_STATES, type RequestState } from '../../store/index.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import { LiveViews } from './live.ts';
import type { RequestsCommand } from './requests.ts';
import type { ActionOutcome, AdminSource } from './source.ts';

/** Adds the routes of the API. */
export function addApi(app: Express, source: AdminSource, logger: GatewayLogger): void {
  const views = new LiveViews(source, logger);
  app.get('/api/live', views.open);
  app.get('/api/snapshot', async (_req, res) => {
    res.json(await source.snapshot());
  });
  app.get('/api/contracts/:name', async (req, res) => {
    const { name } = req.params;
    const fragment = await source.contract(name);
    if (fragment === undefined) notFound(res, 'contract', name);
    else res.json(fragment);
  });
  addRequests(app, source, logger);
  app.post('/api/workers/:name/drain', async (req, res) => {
    await change(res, 'worker', req.params.name, 'drain', req.body, (name, drain) =>
      source.drainWorker(name, drain),
    );
  });
  app.post('/api/events/:name/pause', async (req, res) => {
    await change(res, 'event', req.params.name, 'pause', req.body, (name, pause) =>
      source.pauseEvent(name, pause),
    );
  });

  /** Applies the boolean field `verb` of a body to a worker or an event, and logs the change. */
  async function change(
    res: Response,
    what: string,
    name: string,
    verb: string,
    body: unknown,
    act: (name: string, wanted: boolean) => Promise<ActionOutcome>,
  ): Promise<void> {
    const wanted = (body as Record<string, unknown> | undefined)?.[verb];
    if (typeof wanted !== 'boolean') {
      res
        .status(400)
        .json({ status: 400, detail: `The body must be { "${verb}": true } or { "${verb}": false }.` });
      return;
    }
    const outcome = await act(name, wanted);
    if (outcome === 'unknown') notFound(res, what, name);
    else if (outcome !== 'done') res.status(outcome.status).json(outcome);
    else {
      logger.warn(
        { [what]: name, [verb]: wanted, from: res.req.socket.remoteAddress },
        `an operator requested: ${verb} ${wanted ? 'on' : 'off'}`,
      );
      res.json({ [what]: name, [verb]: wanted });
    }
  }
}

/** Adds the routes of stored requests. */
function addRequests(app: Express, source: AdminSource, logger: GatewayLogger): void {
  async function answer(res: Response, command: RequestsCommand): Promise<void> {
    const { status, body } = await source.requests(command);
    res.status(status).json(body);
  }

  app.get('/api/requests', async (req, res) => {
    const command = listCommand(req.query);
    if (typeof command === 'string') res.status(400).json({ status: 400, detail: command });
    else await answer(res, command);
  });
  app.get('/api/requests/:id', (req, res) => answer(res, { action: 'show', id: req.params.id }));
  app.post('/api/requests/:id/cancel', async (req, res) => {
    const { id } = req.params;
    logger.warn({ request: id }, 'an operator requested: cancel');
    await answer(res, { action: 'cancel', id });
  });
}

/** Maximum requests in one list. */
const MAX_LISTED = 1000;

/** The command of a query, or what is wrong with it. */
function listCommand(query: Request['query']): RequestsCommand | string {
  const { state, caller, limit = '100' } = query;
  if (state !== undefined && !REQUEST_STATES.some((known) => known === state))
    return `state must be one of ${REQUEST_STATES.join(', ')}.`;
  if (caller !== undefined && typeof caller !== 'string') return 'caller must be given once.';
  if (typeof limit !== 'string' || !/^[1-9]\d{0,3}$/.test(limit) || Number(limit) > MAX_LISTED)
    return `limit must be a whole number from 1 to ${MAX_LISTED}.`;
  return { action: 'list', state: state as RequestState | undefined, caller, limit: Number(limit) };
}

function notFound(res: Response, what: string, name: string): void {
  res.status(404).json({ status: 404, detail: `There is no ${what} ${JSON.stringify(name.slice(0, 200))}.` });
}
