/** The program with all commands: takes argv and returns an exit code. */
import path from 'node:path';
import { Command as Commander, CommanderError, Option } from 'commander';
import { ZeroMQConfigError } from '../core/messages/errors.ts';
import { tuneV8 } from '../transport/socket/tune-v8.ts';
import { VERSION } from './process/package.ts';
import { semiSpaceProblem } from './process/young-generation.ts';
import type { Command, CommandContext, SettingsSource } from './settings/command.ts';
import { CONFIG_NAMES, readConfig } from './settings/config-file.ts';
import { EXIT, explain, UsageError } from './settings/errors.ts';
import { flagOf, inGroups, resolveSettings, type Setting, variableOf } from './settings/settings.ts';
import { painter } from './terminal/colours.ts';

/**
 * A command that is loaded on demand, because most commands need modules that the others do not.
 */
interface LazyCommand {
  /** One-line summary for the list of commands. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** All commands by name, in the order of the help. */
export const COMMANDS: Readonly<Record<string, LazyCommand>> = {
  up: {
    summary: 'Run a gateway, a router and workers in one process',
    load: async () => (await import('./commands/up.ts')).upCommand,
  },
  dev: {
    summary: 'Run a gateway, a router and workers, reloaded on save',
    load: async () => (await import('./commands/dev.ts')).devCommand,
  },
  gateway: {
    summary: 'Run an HTTP gateway for one or more routers',
    load: async () => (await import('./commands/gateway.ts')).gatewayCommand,
  },
  router: {
    summary: 'Run a router between clients and workers',
    load: async () => (await import('./commands/router.ts')).routerCommand,
  },
  worker: {
    summary: 'Run workers from files for one or more routers',
    load: async () => (await import('./commands/worker.ts')).workerCommand,
  },
  server: {
    summary: 'Serve clients directly, without a router',
    load: async () => (await import('./commands/server.ts')).serverCommand,
  },
  health: {
    summary: 'Check whether a node can serve',
    load: async () => (await import('./commands/health.ts')).healthCommand,
  },
  top: {
    summary: 'Show live statistics of a router',
    load: async () => (await import('./commands/top.ts')).topCommand,
  },
  ps: {
    summary: 'List the workers of a router',
    load: async () => (await import('./commands/ps.ts')).psCommand,
  },
  events: {
    summary: 'List the events of a router',
    load: async () => (await import('./commands/events.ts')).eventsCommand,
  },
  drain: {
    summary: 'Stop sending requests to a worker, or resume',
    load: async () => (await import('./commands/drain.ts')).drainCommand,
  },
  weight: {
    summary: 'Split requests between versions of a contract',
    load: async () => (await import('./commands/weight.ts')).weightCommand,
  },
  requests: {
    summary: 'List, show or cancel stored requests',
    load: async () => (await import('./commands/requests.ts')).requestsCommand,
  },
  keygen: {
    summary: 'Generate a CURVE key pair',
    load: async () => (await import('./commands/keygen.ts')).keygenCommand,
  },
  passwd: {
    summary: 'Hash the password of a user for HTTP Basic authentication',
    load: async () => (await import('./commands/passwd.ts')).passwdCommand,
  },
  call: {
    summary: 'Send one event and print the reply',
    load: async () => (await import('./commands/call.ts')).callCommand,
  },
  types: {
    summary: 'Write TypeScript types of events',
    load: async () => (await import('./commands/types.ts')).typesCommand,
  },
  mock: {
    summary: 'Serve a document from its examples and schemas',
    load: async () => (await import('./commands/mock.ts')).mockCommand,
  },
  contract: {
    summary: 'Compare two versions of a document or contract',
    load: async () => (await import('./commands/contract.ts')).contractCommand,
  },
  new: {
    summary: 'Create a worker file or a project',
    load: async () => (await import('./commands/new.ts')).newCommand,
  },
  completion: {
    summary: 'Print a shell completion script',
    load: async () => (await import('./commands/completion-command.ts')).completionCommand(COMMANDS),
  },
};

const WIDTH = 100;

/**
 * Runs a command line. Never throws.
 *
 * @param argv arguments, without the Node.js executable and the script.
 * @returns the exit code.
 */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  let code: number = EXIT.ok;
  const program = newProgram(context);
  const wanted = argv.find((arg) => Object.hasOwn(COMMANDS, arg));
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const sub = program.command(name).summary(summary);
    if (name !== wanted) continue;
    addCommand(sub, await load(), context, (result) => {
      code = result;
    });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    return report(error, context);
  }
}

function newProgram(context: CommandContext): Commander {
  const { colours } = context;
  // Commander strips the colours if the output does not support them.
  const paint = painter(true);
  return new Commander('zeromq-gateway')
    .description('Run ZeroMQ routers and workers, and an HTTP gateway that maps REST routes to their events')
    .usage('COMMAND [options]')
    .version(VERSION, '-V, --version', 'Print the version')
    .helpOption('-h, --help', 'Print help')
    .helpCommand('help [COMMAND]', 'Print the help of a command')
    .configureHelp({
      subcommandTerm: (command) => command.name(),
      styleTitle: (title) => paint('bold', title),
      styleSubcommandTerm: (term) => paint('cyan', term),
      styleOptionTerm: (term) => paint('cyan', term),
      styleArgumentTerm: (term) => paint('cyan', term),
    })
    .configureOutput({
      getOutHasColors: () => colours?.out ?? false,
      getErrHasColors: () => colours?.err ?? false,
      writeOut: (text) => context.out(text.trimEnd()),
      writeErr: (text) => context.err(text.trimEnd()),
      getOutHelpWidth: () => WIDTH,
      getErrHelpWidth: () => WIDTH,
    })
    .exitOverride()
    .showHelpAfterError('Run with --help for all options.');
}

/** Defines the arguments, options and action of a command. `done` is called with its exit code. */
function addCommand(
  sub: Commander,
  command: Command,
  context: CommandContext,
  done: (code: number) => void,
): void {
  sub.description(command.description);
  const entries = Object.entries(command.settings);
  const positional = entries.filter(([, each]) => each.positional);
  sub.usage(usageOf(entries));
  for (const [name, each] of positional) sub.argument(`[${argumentOf(each)}]`, describe(name, each));
  for (const { heading, settings } of inGroups(command.settings)) {
    for (const [name, each] of settings) sub.addOption(optionOf(name, each).helpGroup(`${heading}:`));
  }
  sub.option(
    '--config <FILE>',
    `Configuration file (default: ${CONFIG_NAMES.join(', ')} in the working folder; env: ZMQ_GATEWAY_CONFIG)`,
  );
  const secrets = entries.filter(([, each]) => each.environmentOnly);
  if (secrets.length > 0) {
    const lines = secrets.map(([name, each]) => `  ${variableOf(name, each)}  ${each.description}`);
    sub.addHelpText('after', `\nEnvironment only:\n${lines.join('\n')}`);
  }
  const examples = command.examples.map((example) => `  $ zeromq-gateway ${example}`);
  sub.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
  sub.action(async (...args: unknown[]) => {
    const options = sub.opts<Record<string, unknown>>();
    const flags: Record<string, unknown> = { ...options };
    positional.forEach(([name], at) => {
      const value = args[at];
      flags[name] = Array.isArray(value) && value.length === 0 ? undefined : value;
    });
    const { cwd, env } = context;
    const problem = semiSpaceProblem(context);
    if (problem !== undefined) throw new UsageError([problem]);
    const given = options.config ?? (env.ZMQ_GATEWAY_CONFIG || undefined);
    const config = () => readConfig(given as string | undefined, cwd, Object.keys(COMMANDS));
    const file = config();
    const values = resolveSettings(command.name, command.settings, { flags, env, file, cwd });
    const source: SettingsSource = {
      current: values,
      file: file && path.resolve(cwd, file.file),
      read: () => resolveSettings(command.name, command.settings, { flags, env, file: config(), cwd }),
    };
    const { v8Tuning } = values as { readonly v8Tuning?: unknown };
    if (v8Tuning === 'on') tuneV8();
    // The prototype keeps the getters of the context: reading `input` opens standard input.
    const own = Object.assign(Object.create(context) as CommandContext, { source });
    done(await command.run(values as never, own));
  });
}

function optionOf(name: string, setting: Setting<unknown>): Option {
  const { placeholder, isList } = setting.kind;
  const option = new Option(
    placeholder === undefined ? flagOf(name) : `${flagOf(name)} <${placeholder}>`,
    describe(name, setting),
  );
  if (isList) {
    option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  }
  return option;
}

function argumentOf({ kind }: Setting<unknown>): string {
  return `${kind.placeholder}${kind.isList ? '...' : ''}`;
}

function usageOf(entries: readonly (readonly [string, Setting<unknown>])[]): string {
  const parts = entries
    .filter(([, { positional, required }]) => positional || required)
    .map(([name, each]) => {
      const argument = argumentOf(each);
      if (!each.positional) return `${flagOf(name)} ${argument}`;
      return each.required ? argument : `[${argument}]`;
    });
  return [...parts, '[options]'].join(' ');
}

/** Returns the description of a setting, with its default and its environment variable. */
function describe(name: string, setting: Setting<unknown>): string {
  const notes = [`env: ${variableOf(name, setting)}`];
  const byDefault = setting.defaultNote ?? defaultText(setting.default);
  if (byDefault !== undefined && !setting.required) notes.unshift(`default: ${byDefault}`);
  if (setting.kind.isList && !setting.positional) notes.unshift('may be repeated');
  return `${setting.description} (${notes.join('; ')})`;
}

function defaultText(value: unknown): string | undefined {
  if (value === undefined || value === false) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Prints an error and returns the exit code. */
function report(error: unknown, context: CommandContext): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const paint = painter(context.colours?.err);
  for (const line of explain(error)) context.err(`${paint('red', 'error:')} ${line}`);
  return error instanceof UsageError || error instanceof ZeroMQConfigError ? EXIT.usage : EXIT.failed;
}
