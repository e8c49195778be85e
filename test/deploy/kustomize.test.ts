/** The kustomizations of deploy/kubernetes, built by kubectl: the base, overlays, and each component. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { kubernetesTool } from '../../scripts/lib/kubernetes-tools.mjs';
import { ROOT } from '../docs/pages.ts';
import { type Container, KUBERNETES, kustomizations, type Manifest } from './kubernetes.ts';

const kubectl = kubernetesTool('kubectl');

/** Builds a folder under deploy/kubernetes. */
function build(folder: string): Manifest[] {
  const args = ['kustomize', path.join(KUBERNETES, folder), '--load-restrictor=LoadRestrictionsNone'];
  const { status, stdout, stderr } = spawnSync(kubectl ?? '', args, { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, ''], folder);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

/** Builds the base with these components, as an overlay of a user does. */
function buildWith(...components: string[]): Manifest[] {
  const folder = path.join(ROOT, '.cache', `kustomize-${process.pid}`);
  const here = (name: string) => path.relative(folder, path.join(KUBERNETES, name));
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(
      path.join(folder, 'kustomization.yaml'),
      JSON.stringify({
        resources: [here('base')],
        components: components.map((name) => here(`components/${name}`)),
      }),
    );
    return build(path.relative(KUBERNETES, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function find(objects: readonly Manifest[], kind: string, name: string): Manifest {
  return (
    objects.find((one) => one.kind === kind && one.metadata.name === name) ?? assert.fail(`${kind} ${name}`)
  );
}

const containerOf = ({ spec }: Manifest): Container => spec?.template?.spec.containers[0] ?? assert.fail();

describe('kustomizations', { skip: kubectl === undefined ? 'needs kubectl' : false }, () => {
  it('kustomize: every kustomization can be built', () => {
    for (const { folder } of kustomizations()) {
      if (!folder.startsWith('components/')) assert.ok(build(folder).length > 10, folder);
    }
  });

  it('kustomize: an autoscaled worker has no number of replicas, which kubectl apply would set back', () => {
    assert.equal(find(build('base'), 'Deployment', 'echo-worker').spec?.replicas, 2);
    for (const [name, kind] of [
      ['autoscaling-keda', 'ScaledObject'],
      ['autoscaling-hpa', 'HorizontalPodAutoscaler'],
    ] as const) {
      const objects = buildWith(name);
      assert.equal(find(objects, 'Deployment', 'echo-worker').spec?.replicas, undefined, name);
      assert.equal(find(objects, kind, 'echo-worker').metadata.name, 'echo-worker');
    }
  });

  it('kustomize: postgres, zones, ingress and prometheus-operator can be added together', () => {
    const objects = buildWith('postgres', 'zones', 'ingress', 'prometheus-operator');
    for (const kind of ['Ingress', 'PodMonitor', 'PrometheusRule'])
      assert.ok(
        objects.some((one) => one.kind === kind),
        kind,
      );
    for (const [kind, name] of [
      ['StatefulSet', 'zeromq-router'],
      ['Deployment', 'http-gateway'],
      ['Deployment', 'echo-worker'],
    ] as const) {
      const { env = [], args } = containerOf(find(objects, kind, name));
      const names = env.map((each) => each.name);
      assert.ok(names.includes('ZMQ_GATEWAY_ZONE') && names.includes('ZMQ_GATEWAY_ADMIN'), name);
      assert.equal(names.includes('ZMQ_GATEWAY_STORE'), args[0] === 'gateway', name);
    }
  });
});
