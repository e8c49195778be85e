/** `zeromq-gateway new`: creates files from the templates in the package's folder `templates`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Joi from 'joi';
import { dependencyVersions, PACKAGE_FOLDER } from '../process/package.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { EXIT, UsageError } from '../settings/errors.ts';
import { optional, required, type ValuesOf } from '../settings/settings.ts';
import { choice, folderPath, type ValueType } from '../settings/value-types.ts';

const TEMPLATES = path.join(PACKAGE_FOLDER, 'templates');

/** The name used in the templates. With it, each template is a valid file that runs unchanged. */
const TEMPLATE_NAME = /\bhello\b/g;

const name: ValueType<string> = {
  placeholder: 'NAME',
  allowed: 'small letters, digits and dashes, a letter first, at most 50 of them, such as stock-levels',
  schema: Joi.string()
    .pattern(/^[a-z][a-z0-9-]*$/)
    .max(50),
};

const settings = {
  what: required(choice('WHAT', 'worker', 'project'), {
    description: 'worker: a file with a contract and handlers; project: a folder with a worker and its test',
    positional: true,
  }),
  name: required(name, {
    description: 'Name of the worker or project; event names and paths begin with it',
    positional: true,
  }),
  folder: optional(folderPath, {
    description: 'Target folder',
    defaultNote: 'workers, if it exists, else the working folder; for a project NAME',
  }),
};

type Values = ValuesOf<typeof settings>;

/** A file to write: its path relative to the target folder, and its text. */
type NewFile = readonly [place: string, text: string];

/**
 * Returns the files of a template with their target names. A leading underscore hides a template
 * from tools.
 */
function filesOf(template: string, newName: string): NewFile[] {
  const root = path.join(TEMPLATES, template);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort()
    .map((file) => {
      const base = path.basename(file);
      const visible = base.startsWith('_') ? (base === '_gitignore' ? '.gitignore' : base.slice(1)) : base;
      const place = path.join(path.dirname(file), visible.replace(TEMPLATE_NAME, newName));
      return [place, readFileSync(path.join(root, file), 'utf8').replaceAll(TEMPLATE_NAME, newName)];
    });
}

/** @throws {UsageError} when one of the files exists already; no file is written then. */
function write(folder: string, files: readonly NewFile[], context: CommandContext): void {
  const { cwd } = context;
  const existing = files.filter(([place]) => existsSync(path.join(folder, place)));
  if (existing.length > 0) {
    throw new UsageError(
      existing.map(([place]) => {
        const file = path.relative(cwd, path.join(folder, place));
        return `${file} already exists: no file was written; choose another name or another --folder`;
      }),
    );
  }
  for (const [place, text] of files) {
    const file = path.join(folder, place);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text, { flag: 'wx' });
    context.out(`created ${path.relative(cwd, file)}`);
  }
}

function newWorker({ name: newName, folder }: Values, context: CommandContext): void {
  const { cwd } = context;
  const workers = path.join(cwd, 'workers');
  const target = folder ?? (existsSync(workers) ? workers : cwd);
  write(target, filesOf('project/workers', newName), context);
  const shown = path.relative(cwd, target) || '.';
  context.out(`\nRun it, with a gateway and a router:\n  npx zeromq-gateway up --workers ${shown}`);
  context.out(`  curl -s localhost:8080/${newName}/world`);
}

function newProject({ name: newName, folder }: Values, context: CommandContext): void {
  const { cwd } = context;
  const target = folder ?? path.join(cwd, newName);
  const versions = dependencyVersions();
  const files = filesOf('project', newName).map(([place, text]): NewFile => {
    const filled = text.replaceAll(
      /\{([a-z@/-]+)\}/g,
      (all, dependency: string) => versions[dependency] ?? all,
    );
    return [place, place === 'package.json' ? filled : text];
  });
  write(target, files, context);
  context.out(`\nRun it:\n  cd ${path.relative(cwd, target) || '.'}\n  npm install\n  npm start`);
  context.out(`  curl -s localhost:8080/${newName}/world`);
}

export const newCommand = defineCommand({
  name: 'new',
  description:
    'Create a worker file, or a project with a worker and its test. Existing files are never changed.',
  settings,
  examples: ['new project shop', 'new worker stock-levels', 'new worker stock-levels --folder src/workers'],
  run: (values, context) => {
    if (values.what === 'worker') newWorker(values, context);
    else newProject(values, context);
    return Promise.resolve(EXIT.ok);
  },
});
