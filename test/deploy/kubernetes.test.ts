/**
 * Kubernetes manifests: valid by Kubernetes' own schemas, no field that Kubernetes does not know, and in agreement with
 * each other and with the commands that they run.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';
import { ROOT } from '../docs/pages.ts';
import * as checks from './checks.ts';
import {
  filesUnder,
  KUBERNETES,
  kustomizations,
  type Manifest,
  manifestsIn,
  resourcesOf,
} from './kubernetes.ts';

const all = kustomizations();
const base = all.find(({ folder }) => folder === 'base');
const system = base === undefined ? [] : resourcesOf(base);

describe('Kubernetes kustomizations', () => {
  it('list every file, and only existing files', () => {
    const listed = all.flatMap(({ folder, resources = [], components = [], patches = [] }) =>
      [...resources, ...components, ...patches.flatMap(({ path: file }) => file ?? [])].map((file) =>
        path.join(folder, file),
      ),
    );
    assert.deepEqual(
      listed.filter((file) => !existsSync(path.join(KUBERNETES, file))),
      [],
    );
    const files = filesUnder(KUBERNETES).filter((file) => path.basename(file) !== 'kustomization.yaml');
    assert.deepEqual(
      files.filter((file) => !listed.includes(file)),
      [],
    );
  });

  it('patch existing objects', () => {
    for (const { folder, patches = [] } of all) {
      for (const { path: file = '' } of patches) {
        for (const { kind, metadata } of manifestsIn(path.join(folder, file))) {
          const found = system.some((one) => one.kind === kind && one.metadata.name === metadata.name);
          assert.ok(found, `${folder}/${file}: ${kind} ${metadata.name}`);
        }
      }
    }
  });
});

/** A module of kubernetes-models has the class of an object. */
const moduleOf = ({ apiVersion, kind }: Manifest) => `kubernetes-models/${apiVersion}/${kind}`;

/** Returns the violations of the JSON schemas of Kubernetes. */
async function schemaFaults(manifests: readonly Manifest[]): Promise<string[]> {
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
function typeFaults(manifests: readonly Manifest[]): string[] {
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

/** Returns the manifests with a fault in one of them. */
function changed(kind: string, name: string, change: (one: Manifest) => void): Manifest[] {
  const copy = structuredClone(system);
  const one = copy.find((each) => each.kind === kind && each.metadata.name === name);
  assert.ok(one, `no ${kind} ${name}`);
  change(one);
  return copy;
}

const planted = (change: (one: Manifest) => void) => changed('StatefulSet', 'zeromq-router', change);

const kubectl =
  spawnSync('kubectl', ['version', '--client']).status === 0 ? {} : { skip: 'kubectl is not installed' };

it('Kubernetes: every kustomization can be built', kubectl, () => {
  for (const { folder } of all) {
    const { status, stderr } = spawnSync('kubectl', ['kustomize', path.join(KUBERNETES, folder)], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, ''], folder);
  }
});

describe('Kubernetes manifests', () => {
  it('exist for every node', () => {
    const kinds = system.map(({ kind }) => kind);
    for (const kind of ['Deployment', 'StatefulSet', 'Service', 'HorizontalPodAutoscaler', 'NetworkPolicy']) {
      assert.ok(kinds.includes(kind), kind);
    }
    assert.equal(kinds.filter((kind) => kind === 'PodDisruptionBudget').length, 3);
  });

  it('are valid against the schemas of Kubernetes', async () => {
    const others = all.flatMap((one) => (one === base ? [] : resourcesOf(one)));
    assert.deepEqual(await schemaFaults([...system, ...others]), []);
    const faults = await schemaFaults(planted((one) => Object.assign(one.spec ?? {}, { replicas: 'two' })));
    assert.match(faults.join('\n'), /base\/router\.yaml: StatefulSet: .*replicas must be integer/);
  });

  it('have no unknown fields', () => {
    // One run of the compiler for all of them, and for one with a mistake in it.
    const mistaken = planted((one) => Object.assign(one.spec ?? {}, { replica: 2 }));
    const wrong = mistaken
      .filter(({ kind }) => kind === 'StatefulSet')
      .map((one) => ({ ...one, file: 'planted' }));
    const faults = typeFaults([...system, ...wrong]);
    assert.equal(faults.length, 1, faults.join('\n'));
    assert.match(faults[0] ?? '', /^planted: .*'"replica"' does not exist/);
  });

  it('select existing pods', () => {
    assert.deepEqual(checks.checkReferences(system), []);
    const renamed = changed('HorizontalPodAutoscaler', 'http-gateway', ({ spec }) => {
      if (spec?.scaleTargetRef) spec.scaleTargetRef.name = 'gateway';
    });
    assert.deepEqual(checks.checkReferences(renamed), [
      'HorizontalPodAutoscaler http-gateway scales nothing',
    ]);
    const relabelled = planted(({ spec }) =>
      Object.assign(spec?.template?.metadata ?? {}, { labels: { a: 'b' } }),
    );
    assert.match(checks.checkReferences(relabelled).join('\n'), /Service zeromq-router selects no pod/);
  });

  it('name existing ports', () => {
    assert.deepEqual(checks.checkPorts(system), []);
    const portless = planted(({ spec }) => void spec?.template?.spec.containers[0]?.ports?.shift());
    const faults = checks.checkPorts(portless).join('\n');
    assert.match(faults, /Service zeromq-router: no pod has the port frontend/);
    assert.match(faults, /NetworkPolicy http-gateway: no pod has the port frontend/);
  });

  it('probe existing paths', () => {
    assert.deepEqual(checks.checkProbes(system), []);
    const asking = planted(({ spec }) => {
      const probe = spec?.template?.spec.containers[0]?.livenessProbe?.httpGet;
      if (probe) probe.path = '/healthz';
    });
    assert.deepEqual(checks.checkProbes(asking), [
      'StatefulSet zeromq-router: livenessProbe does not ask for /livez',
    ]);
  });

  it('pass valid settings and values to the commands', async () => {
    assert.deepEqual(await checks.checkSettings(system), []);
    const mistaken = planted(({ spec }) => {
      spec?.template?.spec.containers[0]?.env?.push({ name: 'ZMQ_GATEWAY_DRIAN', value: '1' });
    });
    assert.deepEqual(await checks.checkSettings(mistaken), [
      'StatefulSet zeromq-router: router does not read ZMQ_GATEWAY_DRIAN',
    ]);
  });

  it('have a grace period that covers the drain', () => {
    assert.deepEqual(checks.checkGrace(system), []);
    const hasty = planted(({ spec }) =>
      Object.assign(spec?.template?.spec ?? {}, { terminationGracePeriodSeconds: 30 }),
    );
    assert.deepEqual(checks.checkGrace(hasty), ['StatefulSet zeromq-router: 30 s of grace, 32 s are needed']);
  });

  it('find routers through the name of their headless Service', () => {
    assert.deepEqual(checks.checkNames(system), []);
    const lost = changed('Service', 'zeromq-router', ({ spec }) => void spec?.ports?.splice(1, 1));
    assert.deepEqual(checks.checkNames(lost), [
      'Deployment echo-worker: dns://zeromq-router:5556 does not resolve to a port of a headless Service',
    ]);
    const worker = system.find(({ metadata }) => metadata.name === 'echo-worker');
    const [container] = worker?.spec?.template?.spec.containers ?? [];
    const heartbeat = container?.env?.find(({ name }) => name === 'ZMQ_GATEWAY_HEARTBEAT');
    assert.equal(heartbeat?.value, 'dns://zeromq-router:5557', 'its heartbeats go to all routers');
  });

  it('give pods no unnecessary permissions', () => {
    assert.deepEqual(checks.checkRights(system), []);
    const rich = planted(({ spec }) => Object.assign(spec?.template?.spec ?? {}, { securityContext: {} }));
    assert.deepEqual(checks.checkRights(rich), ['StatefulSet zeromq-router may run as root']);
  });

  it('take the keys of every node from Secrets', () => {
    assert.deepEqual(checks.checkKeys(system), []);
    const keyless = planted(({ spec }) => void spec?.template?.spec.containers[0]?.env?.splice(-2));
    assert.deepEqual(checks.checkKeys(keyless), [
      'StatefulSet zeromq-router lacks ZMQ_GATEWAY_CURVE_SECRET_KEY',
    ]);
  });

  it('take the allow list of the routers from a ConfigMap', () => {
    assert.deepEqual(checks.checkAllowList(system), []);
    const router = 'StatefulSet zeromq-router';
    const file = '/etc/zeromq-gateway/peers.yaml';
    const open = planted(({ spec }) => void spec?.template?.spec.containers[0]?.env?.pop());
    assert.deepEqual(checks.checkAllowList(open), [`${router} accepts every peer that knows its public key`]);
    const absent = planted(({ spec }) => void spec?.template?.spec.volumes?.pop());
    assert.deepEqual(checks.checkAllowList(absent), [`${router}: ${file} is in no ConfigMap`]);
    const still = planted(({ spec }) => {
      Object.assign(spec?.template?.spec.containers[0]?.volumeMounts?.at(-1) ?? {}, {
        subPath: 'peers.yaml',
      });
    });
    assert.deepEqual(checks.checkAllowList(still), [
      `${router}: ${file} does not follow its ConfigMap, or can be changed`,
    ]);
  });

  it('set a token for each admin listener', () => {
    assert.deepEqual(checks.checkAdmin(system), []);
    const closed = planted(({ spec }) => {
      const { template } = spec ?? {};
      if (template)
        template.spec.volumes = template.spec.volumes?.filter(({ secret }) => secret === undefined);
    });
    assert.deepEqual(checks.checkAdmin(closed), [
      'StatefulSet zeromq-router has no token for its admin listener',
    ]);
  });

  it('have no Service whose variables are read as settings', () => {
    const names = system.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
    assert.ok(names.length > 1 && !names.includes('zmq-gateway'));
  });
});
