/**
 * completion: scripts that complete commands and flags in bash, zsh and fish, from the same model.
 *
 * Completion for bash: one function with a case for each flag that takes a value.
 */
import type { Completable, CompletableCommand } from './model.ts';

/** Arguments of `compgen` that complete a value. */
function compgen({ choices, path }: Completable): string {
  if (choices !== undefined) return `-W '${choices.join(' ')}'`;
  if (path === undefined) return '';
  return path === 'folder' ? '-d' : '-f';
}

function casesOf({ name, flags }: CompletableCommand): string[] {
  return flags.flatMap(({ flag, value }) =>
    value === undefined ? [] : [`    '${name} ${flag}') generate="${compgen(value)}" ;;`],
  );
}

/** What completes a word if no flag expects its value there: the next argument, or flags. */
function argumentOf({ name, flags, positional }: CompletableCommand): string {
  const words = flags.map(({ flag }) => flag).join(' ');
  const first = positional[0];
  const generate = first === undefined ? '' : compgen(first);
  return `    ${name}) flags='${words}' generate="${generate}" ;;`;
}

export function bashScript(commands: readonly CompletableCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  return `# Completion of zeromq-gateway for bash:  source <(zeromq-gateway completion bash)
_zeromq_gateway() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  local generate='' flags=''
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${names} help --help --version' -- "$current"))
    return
  fi
  case "$command $before" in
${commands.flatMap(casesOf).join('\n')}
    'help help') generate="-W '${names}'" ;;
    *)
      case "$command" in
${commands.map((each) => `    ${argumentOf(each)}`).join('\n')}
      esac
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$current"))
        return
      fi
      ;;
  esac
  if [[ $generate == -[df] ]]; then compopt -o filenames 2>/dev/null; fi
  if [[ -n $generate ]]; then
    mapfile -t COMPREPLY < <(eval "compgen $generate -- \\"\\$current\\"")
  fi
}
complete -F _zeromq_gateway zeromq-gateway`;
}
