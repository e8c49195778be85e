/** Runs Python's configparser with its default settings in a separate process. */
import { spawnSync } from 'node:child_process';

/** Options by section. The options of `DEFAULT` appear in every section. */
export type Parsed = Record<string, Record<string, string>>;

const READ = `
import base64, configparser, io, json, sys
def read(text):
    parser = configparser.ConfigParser()
    try:
        parser.read_file(io.TextIOWrapper(io.BytesIO(base64.b64decode(text)), encoding='utf-8'))
    except configparser.Error as error:
        return {'error': str(error)}
    return {'parsed': {name: dict(parser.items(name, raw=True)) for name in parser.sections()}}
json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
`;

const SET = `
import configparser, sys
path, section, option, value = sys.argv[1:]
parser = configparser.ConfigParser()
parser.read(path, encoding='utf-8')
if not parser.has_section(section):
    parser.add_section(section)
parser.set(section, option, value)
with open(path, 'w', encoding='utf-8') as file:
    parser.write(file)
`;

/** Returns what configparser reads from each text: its sections, or the error that it raises. */
export function readWithPython(texts: readonly string[]): { parsed?: Parsed; error?: string }[] {
  const input = JSON.stringify(texts.map((text) => Buffer.from(text).toString('base64')));
  return JSON.parse(python(['-c', READ], input)) as { parsed?: Parsed; error?: string }[];
}

/** Reads the file with configparser, sets one option and writes the file back. */
export function setWithPython(path: string, section: string, option: string, value: string): void {
  python(['-c', SET, path, section, option, value]);
}

function python(args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync('python3', args, {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, PYTHONUTF8: '1', PYTHONIOENCODING: 'utf-8' },
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`python3 failed: ${stderr}`);
  return stdout;
}
