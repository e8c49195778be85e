/**
 * docs/configuration.md, made from the schema of the gateway's settings and from the settings of the commands.
 * `npx tsx scripts/docs-configuration.ts` writes it; test/docs/configuration.test.ts holds it equal.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from '../src/cli/program.ts';
import { flagOf, type Setting, variableOf } from '../src/cli/settings/settings.ts';
import { settingsSchema } from '../src/gateway/common/settings-schema.ts';
import { type Described, settingRows } from './lib/settings-table.ts';

export const PAGE = new URL('../docs/configuration.md', import.meta.url);

const INTRODUCTION = `# Configuration

<!-- Made by scripts/docs-configuration.ts from the code; write there, not here. -->

The first part lists the settings of the HTTP side, the second those of each command. [Command line](cli.md) says where values
come from: a flag wins over the environment, that over the configuration file, that over the default. Times are whole
milliseconds.

## HTTP settings

\`createGateway\` takes them as an object, beside \`requester\`, \`api\` and \`logger\`. The commands \`gateway\` and \`up\` take them
under \`http\`: as a map in the configuration file, as JSON in \`--http\` or \`ZMQ_GATEWAY_HTTP\`. \`host\`, \`port\` and \`timeout\`
have flags of their own there, which win. A wrong value stops the gateway from starting; all faults are told at once, by name.
In names, \`[]\` stands for an item of a list, and NAME for a name that you choose.
`;

const AFTER_HTTP = `
\`replies.check\` is \`"off"\` by default where \`NODE_ENV\` is \`production\`, else \`"report"\`.

As a configuration file has them:

\`\`\`yaml
gateway:
  router: [tcp://127.0.0.1:5555]
  http:
    trustProxy: [10.0.0.0/8]
    cors: { origins: ["https://app.example"] }
    auth:
      schemes:
        key: { type: apiKey, file: /run/secrets/keys.json }
        token:
          type: jwt
          jwksUrl: https://login.example/jwks.json
          issuer: https://login.example/
          audience: tasks
    rateLimits:
      - { name: writes, limit: 100, window: 60000, per: [caller], events: [tasks.create, tasks.remove] }
\`\`\`

## Settings of the commands
`;

/** The page as it has to be. */
export async function configurationPage(): Promise<string> {
  const http = settingRows(settingsSchema.describe() as Described).map(
    ({ name, allowed, byDefault, meaning }) => [`\`${name}\``, allowed, byDefault, meaning],
  );
  const sections = [INTRODUCTION, table(['setting', 'allowed', 'default', 'meaning'], http), AFTER_HTTP];
  for (const [name, { load }] of Object.entries(COMMANDS)) {
    const { settings } = await load();
    const head = ['setting', 'flag', 'variable', 'allowed', 'default', 'meaning'];
    const rows = Object.entries(settings).map(([key, setting]) => commandRow(key, setting));
    sections.push(`\n### ${name}\n\n${table(head, rows)}`);
  }
  return sections.join('\n').replace(/\n{3,}/g, '\n\n');
}

function commandRow(name: string, setting: Setting<unknown>): string[] {
  const { kind, description, positional, environmentOnly, defaultNote, required } = setting;
  const flag = environmentOnly
    ? 'none'
    : positional
      ? name.toUpperCase()
      : `\`${[flagOf(name), kind.placeholder].filter(Boolean).join(' ')}\``;
  const byDefault = required
    ? 'required'
    : (defaultNote ?? (setting.default === undefined ? '' : `\`${JSON.stringify(setting.default)}\``));
  return [`\`${name}\``, flag, `\`${variableOf(name)}\``, kind.allowed, byDefault, description];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return `${lines.map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, await configurationPage());
