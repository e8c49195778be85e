/** Completion for zsh, based on its `_arguments`. */
import { type Completable, type CompletableCommand, type CompletableFlag, quoted } from './model.ts';

/** Escapes the characters that have a meaning inside an argument of `_arguments`. */
const plain = (text: string): string => text.replaceAll(/[[\]:\\]/g, '\\$&');

/** Returns `:FILE:_files`: the name of a value and the action that completes it. */
function actionOf({ placeholder, choices, path }: Completable): string {
  if (choices !== undefined) return `:${placeholder}:(${choices.join(' ')})`;
  if (path === undefined) return `:${placeholder}: `;
  return `:${placeholder}:_files${path === 'folder' ? ' -/' : ''}`;
}

function flagSpec({ flag, description, value, repeats }: CompletableFlag): string {
  const action = value === undefined ? '' : actionOf(value);
  return quoted(`${repeats ? '*' : ''}${flag}[${plain(description)}]${action}`);
}

function specsOf({ flags, positional }: CompletableCommand): string {
  const values = positional.map((each) => quoted(`${each.repeats ? '*' : ''}${actionOf(each)}`));
  return [...flags.map(flagSpec), ...values].join(' \\\n        ');
}

export function zshScript(commands: readonly CompletableCommand[]): string {
  const names = commands.map(({ name, summary }) => quoted(`${name}:${plain(summary)}`));
  return `#compdef zeromq-gateway
# Completion of zeromq-gateway for zsh:  source <(zeromq-gateway completion zsh)
# or as a file _zeromq-gateway in a folder of $fpath.
_zeromq_gateway() {
  local -a commands=(
    ${names.join('\n    ')}
    'help:Print the help of a command'
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
    help) _describe command commands ;;
${commands.map((each) => `    ${each.name})\n      _arguments \\\n        ${specsOf(each)}\n      ;;`).join('\n')}
  esac
}
if [[ $funcstack[1] == _zeromq-gateway ]]; then
  _zeromq_gateway "$@"
else
  compdef _zeromq_gateway zeromq-gateway
fi`;
}
