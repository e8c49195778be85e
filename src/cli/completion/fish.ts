/** Completion for fish: one line for each command, flag and argument. */
import { type Completable, type CompletableCommand, quoted } from './model.ts';

/** How a value is completed. `-x` disables the completion of file names, `-F` enables it. */
function valueOf({ choices, path }: Completable): string {
  if (choices !== undefined) return `-x -a ${quoted(choices.join(' '))}`;
  if (path === undefined) return '-x';
  return path === 'folder' ? `-x -a '(__fish_complete_directories)'` : '-r -F';
}

function linesOf({ name, summary, flags, positional }: CompletableCommand): string[] {
  const within = `complete -c zeromq-gateway -n '__fish_seen_subcommand_from ${name}'`;
  const first = positional[0];
  const values = first?.choices ? `${within} -a ${quoted(first.choices.join(' '))}` : `${within} -F`;
  return [
    `complete -c zeromq-gateway -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...flags.map(({ flag, description, value }) => {
      const rest = value === undefined ? '' : ` ${valueOf(value)}`;
      return `${within} -l ${flag.slice(2)}${rest} -d ${quoted(description)}`;
    }),
    ...(first?.choices !== undefined || first?.path !== undefined ? [values] : []),
  ];
}

export function fishScript(commands: readonly CompletableCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  return [
    '# Completion of zeromq-gateway for fish:  zeromq-gateway completion fish | source',
    'complete -c zeromq-gateway -f',
    ...commands.flatMap(linesOf),
    `complete -c zeromq-gateway -n __fish_use_subcommand -a help -d 'Print the help of a command'`,
    `complete -c zeromq-gateway -n '__fish_seen_subcommand_from help' -a ${quoted(names)}`,
  ].join('\n');
}
