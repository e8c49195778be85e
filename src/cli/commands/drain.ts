/** `zeromq-gateway drain`: stops sending requests to a worker, or resumes. */

import { ADMIN_CLIENT_SETTINGS, withRouterAdmin } from '../admin/router-admin-client.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { CommandError, EXIT } from '../settings/errors.ts';
import { required, setting, type ValuesOf } from '../settings/settings.ts';
import { booleanFlag, text } from '../settings/value-types.ts';

const settings = {
  worker: required(
    { ...text, placeholder: 'WORKER' },
    { description: 'Worker identity as shown by ps, or its beginning or end', positional: true },
  ),
  resume: setting(booleanFlag, { description: 'Resume sending requests to the worker', default: false }),
  ...ADMIN_CLIENT_SETTINGS,
};

async function drain(values: ValuesOf<typeof settings>, context: CommandContext): Promise<number> {
  const { worker, resume, json } = values;
  const id = await withRouterAdmin(values, async (admin) => {
    const { workers } = await admin.info();
    const id = findWorker(
      workers.map((one) => one.id),
      worker,
    );
    await admin.drain(id, !resume);
    return id;
  });
  if (json) context.out(JSON.stringify({ worker: id, drain: !resume }));
  else
    context.out(
      resume
        ? `${id} receives requests again`
        : `${id} finishes its requests in flight and receives no new ones`,
    );
  return EXIT.ok;
}

function findWorker(ids: readonly string[], wanted: string): string {
  const fits = [...new Set(ids.filter((id) => id.startsWith(wanted) || id.endsWith(wanted)))];
  const [only, ...others] = ids.includes(wanted) ? [wanted] : fits;
  if (only !== undefined && others.length === 0) return only;
  const what = only === undefined ? 'no worker has' : `${fits.length} workers have`;
  throw new CommandError(
    `${what} an identity that begins or ends with ${JSON.stringify(wanted)}; run ps to list all workers`,
  );
}

export const drainCommand = defineCommand({
  name: 'drain',
  description:
    'Stop sending requests to a worker, or resume. The worker finishes its requests in flight and stays connected. ' +
    'A worker that reconnects receives requests again.',
  settings,
  examples: ['drain 9f86d081', 'drain 9f86d081 --resume'],
  run: drain,
});
