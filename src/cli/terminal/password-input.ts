/** Input of passwords, typed by a user or piped from another program. They are never shown. */
import { createInterface } from 'node:readline';
import { CommandError } from '../settings/errors.ts';

/** The source of passwords: standard input. */
export interface PasswordInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
}

/** Maximum length of piped input, in characters. */
const MAX_LENGTH = 4096;

/**
 * Reads a password. On a terminal it is typed twice without echo; otherwise all of standard input
 * is read, without the final line break.
 *
 * @param ask shows a prompt on the terminal.
 * @throws {CommandError} when no password is entered, or when the two entries differ.
 */
export async function readPassword(input: PasswordInput, ask: (question: string) => void): Promise<string> {
  const password = input.isTTY === true ? await readTyped(input, ask) : await readPiped(input);
  if (password === '') throw new CommandError('no password was entered');
  return password;
}

async function readTyped(input: PasswordInput, ask: (question: string) => void): Promise<string> {
  // In terminal mode readline itself echoes to its output. Without an output, nothing is echoed.
  const reader = createInterface({ input, terminal: true, historySize: 0 });
  const lines = reader[Symbol.asyncIterator]();
  try {
    const answers: string[] = [];
    for (const question of ['Password: ', 'Password again: ']) {
      ask(question);
      const answer = await lines.next();
      ask('\n');
      if (answer.done === true) throw new CommandError('no password was entered');
      answers.push(answer.value);
    }
    const [first = '', second] = answers;
    if (first !== second) throw new CommandError('the passwords differ: run the command again');
    return first;
  } finally {
    reader.close();
  }
}

async function readPiped(input: PasswordInput): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_LENGTH) throw new CommandError(`the password is longer than ${MAX_LENGTH} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, '');
}
