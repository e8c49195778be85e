/** `zeromq-gateway new`: creates files from the templates in the package's folder `templates`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Joi from 'joi';
import { PACKAGE_FOLDER, versionsOf } from '../process/package.ts';
import { defineCommand, type Surroundings } from '../settings/command.ts';
import { EXIT, UsageError } from '../settings/errors.ts';
import { optional, required, type ValuesOf } from '../settings/settings.ts';
import { choice, folderToBe, type ValueType } from '../settings/value-types.ts';

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
  folder: optional(folderToBe, {
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
      const given = base.startsWith('_') ? (base === '_gitignore' ? '.gitignore' : base.slice(1)) : base;
      const place = path.join(path.dirname(file), given.replace(TEMPLATE_NAME, newName));
      return [place, readFileSync(path.join(root, file), 'utf8').replaceAll(TEMPLATE_NAME, newName)];
    });
}

/** @throws {UsageError} when one of the files exists already; no file is written then. */
function write(folder: string, files: readonly NewFile[], surroundings: Surroundings): void {
  const { cwd } = surroundings;
  const there = files.filter(([place]) => existsSync(path.join(folder, place)));
  if (there.length > 0) {
    throw new UsageError(
      there.map(([place]) => {
        const file = path.relative(cwd, path.join(folder, place));
        return `${file} exists already, and nothing was written; give another name, or another --folder`;
      }),
    );
  }
  for (const [place, text] of files) {
    const file = path.join(folder, place);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text, { flag: 'wx' });
    surroundings.out(`made ${path.relative(cwd, file)}`);
  }
}

function newWorker({ name: newName, folder }: Values, surroundings: Surroundings): void {
  const { cwd } = surroundings;
  const usual = path.join(cwd, 'workers');
  const home = folder ?? (existsSync(usual) ? usual : cwd);
  write(home, filesOf('project/workers', newName), surroundings);
  const shown = path.relative(cwd, home) || '.';
  surroundings.out(`\nRun it, with a gateway and a router:\n  npx zeromq-gateway up --workers ${shown}`);
  surroundings.out(`  curl -s localhost:8080/${newName}/world`);
}

function newProject({ name: newName, folder }: Values, surroundings: Surroundings): void {
  const { cwd } = surroundings;
  const home = folder ?? path.join(cwd, newName);
  const versions = versionsOf();
  const files = filesOf('project', newName).map(([place, text]): NewFile => {
    const filled = text.replaceAll(
      /\{([a-z@/-]+)\}/g,
      (all, dependency: string) => versions[dependency] ?? all,
    );
    return [place, place === 'package.json' ? filled : text];
  });
  write(home, files, surroundings);
  surroundings.out(`\nRun it:\n  cd ${path.relative(cwd, home) || '.'}\n  npm install\n  npm start`);
  surroundings.out(`  curl -s localhost:8080/${newName}/world`);
}

export const newCommand = defineCommand({
  name: 'new',
  description:
    'Create a worker file, or a project with a worker and its test. Existing files are never changed.',
  settings,
  examples: ['new project shop', 'new worker stock-levels', 'new worker stock-levels --folder src/workers'],
  run: (values, surroundings) => {
    if (values.what === 'worker') newWorker(values, surroundings);
    else newProject(values, surroundings);
    return Promise.resolve(EXIT.ok);
  },
});
