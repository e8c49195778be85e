/** Checks of objects against the schemas of Kubernetes and of custom resources. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { ROOT } from '../docs/pages.ts';
import type { Manifest } from './kubernetes.ts';

/** No package with the schema of a ScaledObject supports Node.js 20. */
export const hasSchema = ({ kind }: Manifest): boolean => kind !== 'ScaledObject';

/** Packages with the classes of custom resources, by API group. */
const CUSTOM: Readonly<Record<string, string>> = {
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

/** A module of kubernetes-models has the class of an object. */
function moduleOf({ apiVersion, kind }: Manifest): string {
  const [group = ''] = apiVersion.split('/');
  return `${CUSTOM[group] ?? 'kubernetes-models'}/${apiVersion}/${kind}`;
}

/** Returns the violations of the JSON schemas of Kubernetes. */
export async function schemaFaults(manifests: readonly Manifest[]): Promise<string[]> {
  const faults: string[] = [];
  for (const manifest of manifests) {
    const { file, ...object } = manifest;
    type Model = new (data: object) => { validate(): void };
    const { [manifest.kind]: model } = (await import(moduleOf(manifest))) as Record<string, Model>;
    assert.ok(model, `${file}: no schema for ${manifest.kind}`);
    try {
      new model(object).validate();
    } catch (error) {
      faults.push(`${file}: ${manifest.kind}: ${String(error)}`);
    }
  }
  return faults;
}

/** Returns type errors, mainly unknown fields, by the types generated from those schemas. */
export function typeFaults(manifests: readonly Manifest[]): string[] {
  const lines = manifests.map(({ file: _file, ...object }, at) => {
    const type = `import('${moduleOf(manifests[at] as Manifest)}').I${object.kind}`;
    return `export const object${at}: ${type} = ${JSON.stringify(object)};`;
  });
  const folder = path.join(ROOT, '.cache', `manifests-${process.pid}`);
  const file = path.join(folder, 'manifests.ts');
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, lines.join('\n'));
  try {
    const program = ts.createProgram([file], {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: [],
    });
    const source = program.getSourceFile(file);
    return program.getSemanticDiagnostics(source).map(({ messageText, start = 0 }) => {
      const line = source?.getLineAndCharacterOfPosition(start).line ?? 0;
      return `${manifests[line]?.file}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
