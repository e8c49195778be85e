/** The Helm chart: helm accepts it, and it says the same as the kustomize base and its components. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { kubernetesTool } from '../../scripts/lib/kubernetes-tools.mjs';
import { ROOT } from '../docs/pages.ts';
import { kustomizations, type Manifest, manifestsIn, resourcesOf } from './kubernetes.ts';
import { hasSchema, schemaFaults, typeFaults } from './schemas.ts';

const CHART = path.join(ROOT, 'deploy/helm/zeromq-gateway');
const helm = kubernetesTool('helm');

/** The values that the tests change. */
interface Values {
  image: { tag: string };
  imagePullSecrets: object[];
  router: { env: Record<string, string> };
  gateway: { storeSecret: string };
  workers: [{ autoscaling: { kind: string } }];
  zones: boolean;
  ingress: { enabled: boolean };
  prometheus: { operator: boolean };
}

/** Runs `helm template` with the default values and a change of them. */
function template(change: (values: Values) => void) {
  const values = parse(readFileSync(path.join(CHART, 'values.yaml'), 'utf8')) as Values;
  change(values);
  const args = ['template', 'test', CHART, '--namespace', 'zeromq', '--values', '-'];
  return spawnSync(helm ?? '', args, { encoding: 'utf8', input: JSON.stringify(values) });
}

function render(change: (values: Values) => void = () => undefined): Manifest[] {
  const { status, stdout, stderr } = template(change);
  assert.equal(status, 0, stderr);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Manifest | null)
    .filter((one) => one !== null)
    .map((one) => ({ ...one, file: `${one.kind} ${one.metadata.name}` }));
}

/** An object without what only the chart or only the base sets: common labels, and the image. */
function essence({ file: _file, ...object }: Manifest): Manifest {
  const copy = structuredClone(object) as Manifest;
  const { labels = {} } = copy.metadata;
  const own = Object.entries(labels).filter(([name]) => /\/(?:name|component)$/.test(name));
  if (own.length > 0) copy.metadata.labels = Object.fromEntries(own);
  else delete copy.metadata.labels;
  for (const container of copy.spec?.template?.spec.containers ?? []) {
    delete (container as { image?: string }).image;
    delete (container as { imagePullPolicy?: string }).imagePullPolicy;
    container.env?.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  return copy;
}

const byName = (objects: readonly Manifest[]): Map<string, Manifest> =>
  new Map(objects.map((one) => [`${one.kind} ${one.metadata.name}`, essence(one)]));

const base = kustomizations().find(({ folder }) => folder === 'base');
/** Changes everything but the autoscaling of workers. */
function changeAll(values: Values): void {
  values.image.tag = '7';
  values.imagePullSecrets = [{ name: 'registry' }];
  values.router.env = { ZMQ_GATEWAY_QUEUE_LIMIT: '5000' };
  values.gateway.storeSecret = 'zeromq-gateway-store';
  values.zones = true;
  values.ingress.enabled = true;
  values.prometheus.operator = true;
}

const autoscaled = (kind: string) => (values: Values) => {
  values.workers[0].autoscaling.kind = kind;
};

it('Helm: the chart has the version of the package and the alerts of deploy/prometheus', () => {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  const chart = parse(readFileSync(path.join(CHART, 'Chart.yaml'), 'utf8')) as Record<string, string>;
  assert.deepEqual([chart['version'], chart['appVersion']], [version, version]);
  const alerts = 'prometheus/alerts.yml';
  assert.equal(
    readFileSync(path.join(CHART, 'files/alerts.yml'), 'utf8'),
    readFileSync(path.join(ROOT, 'deploy', alerts), 'utf8'),
  );
});

describe('Helm chart', { skip: helm === undefined ? 'needs helm' : false }, () => {
  it('Helm: lint finds nothing', () => {
    const args = ['lint', '--strict', '--quiet', CHART];
    const { status, stdout, stderr } = spawnSync(helm ?? '', args, { encoding: 'utf8' });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });

  it('Helm: the default values give the objects of the kustomize base', () => {
    assert.ok(base !== undefined);
    assert.deepEqual(byName(render()), byName(resourcesOf(base)));
  });

  it('Helm: components are those of kustomize', () => {
    const objects = byName(render(changeAll));
    const components = ['prometheus-operator/pod-monitor', 'prometheus-operator/rules', 'ingress/ingress'];
    for (const file of components) {
      for (const [name, object] of byName(manifestsIn(`components/${file}.yaml`)))
        assert.deepEqual(objects.get(name), object, name);
    }
    for (const [kind, file] of [
      ['keda', 'autoscaling-keda/scaled-object'],
      ['hpa', 'autoscaling-hpa/autoscaler'],
    ] as const) {
      const scaled = byName(render(autoscaled(kind)));
      for (const [name, object] of byName(manifestsIn(`components/${file}.yaml`)))
        assert.deepEqual(scaled.get(name), object, name);
      assert.equal(scaled.get('Deployment echo-worker')?.spec?.replicas, undefined);
    }
  });

  it('Helm: with all values the objects are valid against the schemas', async () => {
    const objects = [...render(changeAll), ...render(autoscaled('hpa'))];
    const known = objects.filter(hasSchema);
    assert.deepEqual(await schemaFaults(known), []);
    assert.deepEqual(typeFaults(known), []);
    const router = objects.find(({ kind }) => kind === 'StatefulSet');
    const container = router?.spec?.template?.spec.containers[0] as { image?: string; env: object[] };
    assert.equal(container.image, 'zeromq-gateway:7');
    assert.deepEqual(container.env.at(-1), { name: 'ZMQ_GATEWAY_QUEUE_LIMIT', value: '5000' });
  });

  it('Helm: an unknown kind of autoscaling is rejected', () => {
    const { status, stderr } = template(autoscaled('vpa'));
    assert.equal(status, 1);
    assert.match(stderr, /autoscaling\.kind must be keda, hpa or empty, got vpa/);
  });
});
