/**
 * The same service in three frameworks, for docs/comparison.md: tasks with create, get and list,
 * validation, a call from one service to another, an OpenAPI document, and a test.
 */
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Where the services are, and their packages. */
export const COMPARISON = fileURLToPath(new URL('../comparison', import.meta.url));

/** A service in one framework. */
export interface Contender {
  /** Name in the table. */
  readonly name: string;
  /** Folder in `bench/comparison`. */
  readonly folder: string;
  /** Folder of the sources. */
  readonly sources: string;
  /** File with the text `Write docs`, which the measurement of the reload changes. */
  readonly edited: string;
  /** Arguments of Node.js that run the service for development, on a port. */
  readonly dev: (port: number) => readonly string[];
  /** Arguments of Node.js for each step of its test. */
  readonly test: readonly (readonly string[])[];
}

const TSX = ['--import', 'tsx'];

export const CONTENDERS: readonly Contender[] = [
  {
    name: 'zeromq-gateway',
    folder: 'zeromq-gateway',
    sources: 'workers',
    edited: 'workers/tasks.ts',
    dev: (port) => ['node_modules/zeromq-gateway/dist/cli/main.js', 'dev', '--port', String(port)],
    test: [[...TSX, '--test', 'test/tasks.test.ts']],
  },
  {
    name: 'Moleculer',
    folder: 'moleculer',
    sources: 'services',
    edited: 'services/tasks.service.ts',
    dev: () => [...TSX, 'node_modules/moleculer/bin/moleculer-runner.js', '--hot', 'services/*.service.ts'],
    test: [[...TSX, '--test', 'test/tasks.test.ts']],
  },
  {
    name: 'NestJS',
    folder: 'nest',
    sources: 'src',
    edited: 'src/tasks.controller.ts',
    dev: () => ['node_modules/@nestjs/cli/bin/nest.js', 'start', '--watch'],
    test: [
      ['node_modules/typescript/bin/tsc', '-p', '.'],
      ['--test', 'dist/test/tasks.test.js'],
    ],
  },
];

/** Copies a service to a folder, with links to the packages that a project of it would install. */
export function copyOf({ folder }: Contender, into: string): string {
  const copy = path.join(into, folder);
  cpSync(path.join(COMPARISON, folder), copy, { recursive: true });
  const modules = path.join(copy, 'node_modules');
  mkdirSync(path.join(modules, '@types'), { recursive: true });
  const link = (name: string, from: string): void => symlinkSync(from, path.join(modules, name));
  const own = path.join(ROOT, 'node_modules');
  for (const name of ['typescript', 'tsx', '@types/node']) link(name, path.join(own, name));
  if (folder === 'zeromq-gateway') link('zeromq-gateway', ROOT);
  else {
    const packages = path.join(COMPARISON, 'node_modules');
    for (const name of readdirSync(packages)) {
      if (!name.startsWith('.') && !['typescript', 'tsx', '@types'].includes(name)) {
        link(name, path.join(packages, name));
      }
    }
  }
  return copy;
}
