/** `zeromq-gateway drain`: stops sending requests to a worker, or resumes. */

import { printable } from '../../core/identity/worker-name.ts';
import type { WorkerReport } from '../../core/observability/reports.ts';
import { ADMIN_CLIENT_SETTINGS, withRouterAdmin } from '../admin/router-admin-client.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { CommandError, EXIT } from '../settings/errors.ts';
import { required, setting, type ValuesOf } from '../settings/settings.ts';
import { booleanFlag, text } from '../settings/value-types.ts';

const settings = {
  worker: required(
    { ...text, placeholder: 'WORKER' },
    {
      description: 'Name or short id of the worker as shown by ps, or the beginning or end of its identity',
      positional: true,
    },
  ),
  resume: setting(booleanFlag, { description: 'Resume sending requests to the worker', default: false }),
  ...ADMIN_CLIENT_SETTINGS,
};

async function drain(values: ValuesOf<typeof settings>, context: CommandContext): Promise<number> {
  const { worker, resume, json } = values;
  const { id, name = printable(id) } = await withRouterAdmin(values, async (admin) => {
    const { workers } = await admin.info();
    const found = findWorker(workers, worker);
    await admin.drain(found.id, !resume);
    return found;
  });
  if (json) context.out(JSON.stringify({ worker: id, drain: !resume }));
  else
    context.out(
      resume
        ? `${name} receives requests again`
        : `${name} finishes its requests in flight and receives no new ones`,
    );
  return EXIT.ok;
}

type Named = Pick<WorkerReport, 'id' | 'name'>;

function findWorker(workers: readonly Named[], wanted: string): Named {
  const exact = workers.filter(({ id, name }) => id === wanted || name === wanted);
  const fits = exact.length > 0 ? exact : workers.filter((worker) => isMeant(worker, wanted));
  const [only, ...others] = [...new Map(fits.map((worker) => [worker.id, worker])).values()];
  if (only !== undefined && others.length === 0) return only;
  const what = only === undefined ? 'no worker has' : `${others.length + 1} workers have`;
  throw new CommandError(
    `${what} a name or identity that begins or ends with ${JSON.stringify(wanted)}; run ps to list all workers`,
  );
}

function isMeant({ id, name = id }: Named, wanted: string): boolean {
  return [id, name].some((text) => text.startsWith(wanted) || text.endsWith(wanted));
}

export const drainCommand = defineCommand({
  name: 'drain',
  description:
    'Stop sending requests to a worker, or resume. The worker finishes its requests in flight and stays connected. ' +
    'A worker that reconnects receives requests again.',
  settings,
  examples: ['drain 9f86d081', 'drain shop/shop.ts@host-1#9f86d081 --resume'],
  run: drain,
});
