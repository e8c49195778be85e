/** `zeromq-gateway new`: creates files from the templates in the package's folder `templates`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Joi from 'joi';
import { packInto } from '../process/pack.ts';
import { dependencyVersions, PACKAGE_FOLDER, VERSION } from '../process/package.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { EXIT, UsageError } from '../settings/errors.ts';
import { optional, required, type ValuesOf } from '../settings/settings.ts';
import { choice, folderPath, text, type ValueType } from '../settings/value-types.ts';

const TEMPLATES = path.join(PACKAGE_FOLDER, 'templates');

/** The tarball of this package in a new project, and the dependency on it. */
const VENDORED_FILE = `vendor/zeromq-gateway-${VERSION}.tgz`;
const VENDORED = `file:${VENDORED_FILE}`;

/** The name used in the templates. With it, each template is a valid file that runs unchanged. */
const TEMPLATE_NAME = /\bhello\b/g;

const NAME = /^[a-z][a-z0-9-]{0,49}$/;

const name: ValueType<string> = {
  placeholder: 'NAME',
  allowed:
    'small letters, digits and dashes, a letter first, at most 50 of them, such as stock-levels; optionally after a folder',
  schema: () =>
    Joi.string().custom((value: string) => {
      if (!NAME.test(path.basename(value))) throw new Error('not a name');
      return value;
    }),
};

const settings = {
  what: required(choice('WHAT', 'worker', 'project'), {
    description:
      'worker: a file with a contract and handlers; project: a folder with a worker, its tests and all that runs them',
    positional: true,
  }),
  name: required(name, {
    description:
      'Name of the worker or project, or a path that ends in it; event names and paths begin with it',
    positional: true,
  }),
  folder: optional(folderPath, {
    description: 'Target folder',
    defaultNote: 'workers, if it exists, else the working folder; for a project NAME',
  }),
  package: optional(text, {
    description: 'Version, tarball or folder of zeromq-gateway on which a project depends',
    defaultNote: 'a tarball of this version, in the folder vendor of the project',
  }),
};

type Values = ValuesOf<typeof settings>;

/** A file to write: its path relative to the target folder, and its text. */
type NewFile = readonly [place: string, text: string];

/** Templates whose target name begins with a dot; npm and other tools would treat that name specially. */
const HIDDEN = /^_(?=gitignore$|dockerignore$|github$)/;

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
      const names = file.split(path.sep).map((part) => part.replace(HIDDEN, '.').replace(/^_/, ''));
      const place = path.join(...names).replace(TEMPLATE_NAME, newName);
      return [place, readFileSync(path.join(root, file), 'utf8').replaceAll(TEMPLATE_NAME, newName)];
    });
}

/** @throws {UsageError} when one of the files exists already. */
function refuseExisting(folder: string, files: readonly NewFile[], cwd: string): void {
  const existing = files.filter(([place]) => existsSync(path.join(folder, place)));
  if (existing.length > 0) {
    throw new UsageError(
      existing.map(([place]) => {
        const file = path.relative(cwd, path.join(folder, place));
        return `${file} already exists: no file was written; choose another name or another --folder`;
      }),
    );
  }
}

/** @throws {UsageError} when one of the files exists already; no file is written then. */
function write(folder: string, files: readonly NewFile[], context: CommandContext): void {
  const { cwd } = context;
  refuseExisting(folder, files, cwd);
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
  context.out(`\nRun it, with a gateway and a router:\n  npx zeromq-gateway dev --workers ${shown}`);
  context.out(`  curl -s localhost:8080/${newName}/world`);
}

/** The dependency on a version, or on a folder or tarball that exists. */
function dependencyOn(given: string, project: string, cwd: string): string {
  const place = path.resolve(cwd, given);
  return existsSync(place) ? `file:${path.relative(project, place)}` : given;
}

/** Returns the files of a project that depends on the package as `dependency` says. */
function projectFiles(newName: string, dependency: string, isVendored: boolean): NewFile[] {
  const versions: Readonly<Record<string, string>> = {
    ...dependencyVersions(),
    'zeromq-gateway': dependency,
  };
  return filesOf('project', newName).map(([place, content]): NewFile => {
    if (place === 'Dockerfile' && !isVendored) return [place, content.replace(/^COPY vendor.*\n/m, '')];
    if (place !== 'package.json') return [place, content];
    const version = (all: string, name: string): string => versions[name] ?? all;
    return [place, content.replaceAll(/\{([a-z@/-]+)\}/g, version)];
  });
}

function newProject({ name: newName, folder, package: given }: Values, context: CommandContext): void {
  const { cwd } = context;
  const target = folder ?? path.join(cwd, newName);
  const shown = path.relative(cwd, target) || '.';
  const isVendored = given === undefined;
  const files = projectFiles(newName, isVendored ? VENDORED : dependencyOn(given, target, cwd), isVendored);
  refuseExisting(target, files, cwd);
  if (isVendored) packInto(path.join(target, path.dirname(VENDORED_FILE)));
  write(target, files, context);
  if (isVendored) {
    context.out(`created ${path.join(shown, VENDORED_FILE)}`);
    context.out(`\nThe package is not on the npm registry yet: the project depends on ${VENDORED_FILE}.`);
  }
  context.out(`\nRun it:\n  cd ${shown}\n  npm install\n  npm run dev`);
  context.out(`  curl -s localhost:8080/${newName}/world`);
}

/** Divides a path such as `../shop` into the name and the folder. */
function withFolder(values: Values, cwd: string): Values {
  const { what, folder } = values;
  const newName = path.basename(values.name);
  if (newName === values.name) return values;
  const given = path.resolve(cwd, what === 'project' ? values.name : path.dirname(values.name));
  return { ...values, name: newName, folder: folder ?? given };
}

export const newCommand = defineCommand({
  name: 'new',
  description:
    'Create a worker file, or a project with a worker, tests, lint, Dockerfile and CI. Existing files are never changed.',
  settings,
  examples: [
    'new project shop',
    'new project ../shop',
    'new worker stock-levels',
    'new worker stock-levels --folder src/workers',
  ],
  run: (given, context) => {
    const values = withFolder(given, context.cwd);
    if (values.what === 'worker') newWorker(values, context);
    else newProject(values, context);
    return Promise.resolve(EXIT.ok);
  },
});
