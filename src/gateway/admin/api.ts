/** The JSON API of the dashboard, under `/api`. */
import { type Express, type Response } from 'express';
import type { GatewayLogger } from '../common/api-source.ts';
import { LiveViews } from './live.ts';
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
        { [what]: name, [verb]: wanted },
        `an operator requested: ${verb} ${wanted ? 'on' : 'off'}`,
      );
      res.json({ [what]: name, [verb]: wanted });
    }
  }
}

function notFound(res: Response, what: string, name: string): void {
  res.status(404).json({ status: 404, detail: `There is no ${what} ${JSON.stringify(name.slice(0, 200))}.` });
}
