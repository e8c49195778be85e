/**
 * `zeromq-gateway completion`: prints a script that completes commands, flags and values in a
 * shell.
 */

import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { completableOf } from '../completion/model.ts';
import { zshScript } from '../completion/zsh.ts';
import { type Command, defineCommand } from '../settings/command.ts';
import { EXIT } from '../settings/errors.ts';
import { required } from '../settings/settings.ts';
import { choice } from '../settings/value-types.ts';

/** All commands by name. Each is loaded on demand. */
type Commands = Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>>;

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

const settings = {
  shell: required(choice('SHELL', 'bash', 'zsh', 'fish'), {
    description: 'Shell to print the script for',
    positional: true,
  }),
};

/**
 * @param commands commands to complete. The program passes them, because only it knows all of them.
 */
export function completionCommand(commands: Commands): Command {
  return defineCommand({
    name: 'completion',
    description:
      'Print a script that completes commands, flags and values. Load it in the startup file of your shell: ' +
      '~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish.',
    settings,
    examples: [
      'completion bash > ~/.local/share/bash-completion/completions/zeromq-gateway',
      'completion fish > ~/.config/fish/completions/zeromq-gateway.fish',
    ],
    run: async ({ shell }, context) => {
      const all = Object.values(commands).map(async ({ summary, load }) => {
        return completableOf(await load(), summary);
      });
      context.out(SCRIPTS[shell](await Promise.all(all)));
      return EXIT.ok;
    },
  });
}
