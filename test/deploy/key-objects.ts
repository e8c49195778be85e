/** Runs deploy/kubernetes/keys.sh without a cluster, and reads the objects that it creates. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MAIN } from '../helpers/command.ts';
import type { Cleanup } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { KUBERNETES } from './kubernetes.ts';

/**
 * In kubectl's place: `create KIND … NAME --from-file=FILE …` prints the object's kind and name and a copy of its files, and
 * `apply` keeps what it is given in $CLUSTER.
 */
const KUBECTL = `#!/usr/bin/env node
const fs = require('node:fs');
const path = require('node:path');
const [flag, namespace, verb, ...rest] = process.argv.slice(2);
if (flag !== '--namespace') throw new Error('no namespace');
fs.appendFileSync(process.env.CLUSTER + '/commands', process.argv.slice(2).join(' ') + '\\n');
if (verb === 'create') {
  const [kind] = rest;
  const name = kind === 'secret' ? rest[2] : rest[1];
  const files = rest.filter((one) => one.startsWith('--from-file=')).map((one) => one.slice('--from-file='.length));
  const data = Object.fromEntries(files.map((one) => {
    const [key, file = key] = one.split('=');
    return [path.basename(key), fs.readFileSync(file, 'utf8')];
  }));
  console.log(JSON.stringify({ kind, name, namespace, data }));
} else {
  const object = JSON.parse(fs.readFileSync(0, 'utf8'));
  fs.writeFileSync(process.env.CLUSTER + '/' + object.name + '.json', JSON.stringify(object));
}
`;

/** Fails if it may download the package. */
const NPX = `#!/bin/sh
[ "$1 $2" = "--no-install zeromq-gateway" ] || exit 64
shift 2
exec "${process.execPath}" "${MAIN}" "$@"
`;

/** A Secret or ConfigMap. */
export interface Made {
  kind: string;
  namespace: string;
  data: Record<string, string>;
}

export class KeyObjects {
  /** Folder of the objects, one file each, and of the commands of kubectl. */
  readonly cluster: string;
  /** Folder of the key files. */
  readonly folder: string;

  constructor(private readonly cleanup: Cleanup) {
    this.cluster = tempFolder(cleanup);
    this.folder = path.join(tempFolder(cleanup), 'keys');
    mkdirSync(this.folder);
  }

  run(): void {
    const bin = tempFolder(this.cleanup);
    for (const [name, text] of [
      ['kubectl', KUBECTL],
      ['npx', NPX],
    ] as const) {
      writeFileSync(path.join(bin, name), text);
      chmodSync(path.join(bin, name), 0o755);
    }
    const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, CLUSTER: this.cluster };
    const script = path.join(KUBERNETES, 'keys.sh');
    const { status, stderr } = spawnSync(script, [this.folder], { env, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }

  /** Returns an object that the script created. */
  made(name: string): Made {
    return JSON.parse(readFileSync(path.join(this.cluster, `${name}.json`), 'utf8')) as Made;
  }
}
