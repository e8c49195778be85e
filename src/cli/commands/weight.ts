/** `zeromq-gateway weight`: splits requests between versions of a contract. */
import { ADMIN_CLIENT_SETTINGS, withRouterAdmin } from '../admin/router-admin-client.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { EXIT, UsageError } from '../settings/errors.ts';
import { optional, required, setting, type ValuesOf } from '../settings/settings.ts';
import { booleanFlag, text, wholeNumber } from '../settings/value-types.ts';

const settings = {
  contract: required(
    { ...text, placeholder: 'CONTRACT' },
    { description: 'Name of the contract', positional: true },
  ),
  of: required(
    { ...text, placeholder: 'VERSION' },
    { description: 'Version of the contract, as shown by events' },
  ),
  percent: optional(wholeNumber(0, 100), {
    description: 'Share of the requests that workers of the version receive',
    defaultNote: 'required unless --reset is given',
  }),
  reset: setting(booleanFlag, {
    description: 'Return to the weight that the workers of the version announce',
    default: false,
  }),
  ...ADMIN_CLIENT_SETTINGS,
};

async function run(values: ValuesOf<typeof settings>, context: CommandContext): Promise<number> {
  const { contract, of: version, percent, reset, json } = values;
  if ((percent === undefined) !== reset) throw new UsageError(['weight: give either --percent or --reset']);
  const weight = percent ?? null;
  await withRouterAdmin(values, (admin) => admin.weight(contract, version, weight));
  if (json) context.out(JSON.stringify({ contract, version, weight }));
  else if (weight === null) context.out(`${contract} ${version} has the weight that its workers announce`);
  else context.out(`${contract} ${version} receives ${weight} % of the requests`);
  return EXIT.ok;
}

export const weightCommand = defineCommand({
  name: 'weight',
  description:
    'Set the share of the requests that workers of one version of a contract receive. It applies until the router stops.',
  settings,
  examples: ['weight prices --of 2.0.0 --percent 5', 'weight prices --of 2.0.0 --reset'],
  run,
});
