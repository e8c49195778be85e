/**
 * `zeromq-gateway passwd`: prints a line for the user file of a gateway, with a hashed password.
 */
import Joi from 'joi';
import { HASH_COST, hasControls, reasonAgainstUserName } from '../../gateway/common/bcrypt-hash.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { CommandError, EXIT } from '../settings/errors.ts';
import { required, setting, type ValuesOf } from '../settings/settings.ts';
import { type ValueType, wholeNumber } from '../settings/value-types.ts';
import { readPassword } from '../terminal/password-input.ts';

/** bcrypt ignores the bytes of a password after this many. */
const MAX_BYTES = 72;

const userName: ValueType<string> = {
  placeholder: 'USER',
  allowed: 'a user name without colons and control characters',
  schema: () =>
    Joi.string().custom((value: string, { error }) =>
      reasonAgainstUserName(value) === undefined ? value : error('any.invalid'),
    ),
};

const settings = {
  user: required(userName, { description: 'User name; workers see it as the caller', positional: true }),
  cost: setting(wholeNumber(10, HASH_COST.highest), {
    description: 'Cost of the hash; each step doubles the time of a check',
    default: 12,
  }),
};

async function passwd({ user, cost }: ValuesOf<typeof settings>, context: CommandContext): Promise<number> {
  const { input, terminal } = context;
  if (input === undefined) throw new CommandError('there is no standard input to read a password from');
  // RFC 7617, section 2.1: clients send user name and password in this form.
  const given = await readPassword(input, (question) => terminal?.write(question));
  const password = given.normalize('NFC');
  if (hasControls(password)) {
    throw new CommandError(
      'the password contains control characters, which HTTP cannot send; choose another one',
    );
  }
  const bytes = Buffer.byteLength(password);
  if (bytes > MAX_BYTES) {
    throw new CommandError(
      `the password has ${bytes} bytes, but bcrypt uses only ${MAX_BYTES}; choose a shorter one`,
    );
  }
  const { hash } = await import('@node-rs/bcrypt');
  // Apache and nginx use this prefix for bcrypt. The algorithm is the same as for $2b$.
  const hashed = (await hash(password, cost)).replace(/^\$2b\$/, '$2y$');
  context.out(`${user.normalize('NFC')}:${hashed}`);
  return EXIT.ok;
}

export const passwdCommand = defineCommand({
  name: 'passwd',
  description:
    'Hash a password with bcrypt and print the line of a user for the file that auth.schemes.NAME.file names. On a ' +
    'terminal, the command asks for the password and does not show it. Elsewhere it reads the password from standard ' +
    'input.',
  settings,
  examples: ['passwd eva >> users.htpasswd', 'passwd eva --cost 10 < password.txt >> users.htpasswd'],
  run: passwd,
});
