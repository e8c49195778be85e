/** Ten mistakes, made in each service in the place that corresponds to it. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A mistake, and the edit that makes it, by folder of the service; none where it cannot be made. */
export interface Mistake {
  readonly name: string;
  readonly edits: Readonly<Record<string, Edit | undefined>>;
}

const TASKS = {
  'zeromq-gateway': 'workers/tasks.ts',
  moleculer: 'services/tasks.service.ts',
  nest: 'src/tasks.controller.ts',
} as const;

function inTasks(
  edits: Readonly<Partial<Record<keyof typeof TASKS, readonly [find: string, replace: string]>>>,
): Mistake['edits'] {
  return Object.fromEntries(
    Object.entries(edits).map(([folder, [find, replace]]) => [
      folder,
      { file: TASKS[folder as keyof typeof TASKS], find, replace },
    ]),
  );
}

export const MISTAKES: readonly Mistake[] = [
  {
    name: 'an operation without a handler',
    edits: inTasks({
      'zeromq-gateway': ["    'tasks.list': ({ limit }) => tasks.slice(0, limit),\n", ''],
      moleculer: [
        '      handler(ctx: Context<{ limit: number }>): Task[] {\n        return tasks.slice(0, ctx.params.limit);\n      },\n',
        '',
      ],
      // In Nest, the method is the operation.
    }),
  },
  {
    name: 'a handler for an operation that does not exist',
    edits: inTasks({
      'zeromq-gateway': [
        "    'tasks.list': ({ limit }) =>",
        "    'tasks.lst': ({ limit }: { limit: number }) => tasks.slice(0, limit),\n    'tasks.list': ({ limit }) =>",
      ],
      moleculer: [
        '      handler(ctx: Context<{ limit: number }>)',
        '      handlr(): Task[] {\n        return tasks;\n      },\n      handler(ctx: Context<{ limit: number }>)',
      ],
      nest: [
        '  @Get()\n  @ApiOkResponse({ type: [Task] })',
        '  lst(): Task[] {\n    return tasks;\n  }\n\n  @Get()\n  @ApiOkResponse({ type: [Task] })',
      ],
    }),
  },
  {
    name: 'a misspelled field of the request',
    edits: inTasks({
      'zeromq-gateway': ['async ({ title, owner }, context)', 'async ({ titel: title, owner }, context)'],
      moleculer: ['title: ctx.params.title', 'title: ctx.params.titel'],
      nest: ['@Body() { title, owner }', '@Body() { titel: title, owner }'],
    }),
  },
  {
    name: 'a reply without a required field',
    edits: inTasks({
      'zeromq-gateway': [
        'id: tasks.length + 1, title, owner: name };\n      tasks.push(created);',
        'id: tasks.length + 1, title };',
      ],
      moleculer: [
        'title: ctx.params.title, owner: owner.name };\n        tasks.push(created);',
        'title: ctx.params.title };',
      ],
      nest: ['title, owner: found.name };\n    tasks.push(created);', 'title };'],
    }),
  },
  {
    name: 'a reply with a field of the wrong type',
    edits: inTasks({
      'zeromq-gateway': ['      return found;', '      return { ...found, id: String(id) };'],
      moleculer: ['        return found;', '        return { ...found, id: String(ctx.params.id) };'],
      nest: ['    return found;', '    return { ...found, id: String(id) };'],
    }),
  },
  {
    name: 'a call to an event that does not exist',
    edits: inTasks({
      'zeromq-gateway': ["call('owners.get'", "call('owners.gte'"],
      moleculer: ["'owners.get', {", "'owners.gte', {"],
      nest: ["'owners.get', {", "'owners.gte', {"],
    }),
  },
  {
    name: 'a call with data that the other service does not take',
    edits: inTasks({
      'zeromq-gateway': ['{ id: owner }', '{ id: 7 }'],
      moleculer: [
        "<Owner, { id: string }>('owners.get', { id: ctx.params.owner })",
        "<Owner, { id: number }>('owners.get', { id: 7 })",
      ],
      nest: [
        "<Owner, { id: string }>('owners.get', { id: owner })",
        "<Owner, { id: number }>('owners.get', { id: 7 })",
      ],
    }),
  },
  {
    name: 'a misspelled field of the reply to a call',
    edits: inTasks({
      'zeromq-gateway': ['const { name } = await', 'const { nmae: name } = await'],
      moleculer: ['owner: owner.name', 'owner: owner.nmae'],
      nest: ['owner: found.name', 'owner: found.nmae'],
    }),
  },
  {
    name: 'a path parameter in the syntax of another framework',
    edits: inTasks({
      'zeromq-gateway': ["'/tasks/{id}'", "'/tasks/:id'"],
      moleculer: ["'GET /:id'", "'GET /{id}'"],
      nest: ["@Get(':id')", "@Get('{id}')"],
    }),
  },
  {
    name: 'a misspelled option of an operation',
    edits: inTasks({
      'zeromq-gateway': ['replies: { 201: task', 'reply: { 201: task'],
      moleculer: ["params: { title: { type: 'string'", "parms: { title: { type: 'string'"],
      nest: ['@ApiCreatedResponse({ type: Task })', '@ApiCreatedResponse({ typ: Task })'],
    }),
  },
];

/** A project of which one file at a time has other content, in memory. */
export class Project {
  private readonly files: readonly string[];
  private readonly service: ts.LanguageService;
  private changed: { readonly file: string; readonly text: string } | undefined;
  private version = 0;

  /** @param folder folder with a `tsconfig.json`. */
  constructor(private readonly folder: string) {
    const { config } = ts.readConfigFile(path.join(folder, 'tsconfig.json'), (file) =>
      ts.sys.readFile(file),
    ) as {
      config: unknown;
    };
    const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
    this.files = fileNames;
    this.service = ts.createLanguageService({
      ...ts.sys,
      useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
      getCompilationSettings: () => options,
      getScriptFileNames: () => [...fileNames],
      getScriptVersion: (file) => (file === this.changed?.file ? `changed ${this.version}` : 'saved'),
      getScriptSnapshot: (file) => {
        const text = file === this.changed?.file ? this.changed.text : ts.sys.readFile(file);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => folder,
      getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    });
  }

  /**
   * Returns the errors that the compiler reports, with an edit.
   *
   * @throws {Error} when the text to replace is not in its file exactly once.
   */
  errors(edit?: Edit): string[] {
    this.version += 1;
    this.changed = edit && changedBy(edit, this.folder);
    return this.files.flatMap((file) =>
      [...this.service.getSyntacticDiagnostics(file), ...this.service.getSemanticDiagnostics(file)].map(
        ({ messageText }) =>
          `${path.relative(this.folder, file)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
      ),
    );
  }

  close(): void {
    this.service.dispose();
  }
}

function changedBy({ file, find, replace }: Edit, folder: string): { file: string; text: string } {
  const full = path.join(folder, file);
  const text = readFileSync(full, 'utf8');
  if (text.split(find).length !== 2) throw new Error(`${full}: the mistake does not apply: ${find}`);
  return { file: full, text: text.replace(find, () => replace) };
}

/** Returns the lines of code in the files of a folder: neither blank nor a comment. */
export function linesIn(folder: string): number {
  return readdirSync(folder)
    .flatMap((name) => readFileSync(path.join(folder, name), 'utf8').split('\n'))
    .filter((line) => line.trim() !== '' && !/^\s*(?:\/\/|\/?\*)/.test(line)).length;
}
