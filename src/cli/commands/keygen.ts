/** `zeromq-gateway keygen`: generates a CURVE key pair. */
import path from 'node:path';
import { PUBLIC_SUFFIX, writeKeyFiles } from '../../transport/curve/key-file.ts';
import { curveKeyPair } from '../../transport/curve/keys.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { EXIT } from '../settings/errors.ts';
import { required, type ValuesOf } from '../settings/settings.ts';
import { filePath } from '../settings/value-types.ts';

const settings = {
  file: required(filePath, {
    description: 'File for the secret key; the public key is written to FILE.pub',
    positional: true,
  }),
};

function keygen({ file }: ValuesOf<typeof settings>, context: CommandContext): Promise<number> {
  const pair = curveKeyPair();
  writeKeyFiles(file, pair);
  const name = path.relative(context.cwd, file);
  context.err(
    `zeromq-gateway keygen: the secret key is in ${name}, for its owner only; the public key is in ${name}${PUBLIC_SUFFIX}`,
  );
  context.out(pair.publicKey);
  return Promise.resolve(EXIT.ok);
}

export const keygenCommand = defineCommand({
  name: 'keygen',
  description:
    'Generate a CURVE key pair for a node. FILE holds the secret key and is readable by its owner only. FILE.pub holds ' +
    'the public key, which is also printed. Existing files are not overwritten. pyzmq can read both files with ' +
    'zmq.auth.load_certificate.',
  settings,
  examples: ['keygen router.key'],
  run: keygen,
});
