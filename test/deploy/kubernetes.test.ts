/**
 * Kubernetes manifests: valid by Kubernetes' own schemas, no field that Kubernetes does not know, and in agreement with
 * each other and with the commands that they run.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
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
import { hasSchema, schemaFaults, typeFaults } from './schemas.ts';

const all = kustomizations();
const base = all.find(({ folder }) => folder === 'base');
const system = base === undefined ? [] : resourcesOf(base);
const others = all.flatMap((one) => (one === base ? [] : resourcesOf(one)));
const withSchema = others.filter(hasSchema);

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

/** Returns the manifests with a fault in one of them. */
function changed(kind: string, name: string, change: (one: Manifest) => void): Manifest[] {
  const copy = structuredClone(system);
  const one = copy.find((each) => each.kind === kind && each.metadata.name === name);
  assert.ok(one, `no ${kind} ${name}`);
  change(one);
  return copy;
}

const planted = (change: (one: Manifest) => void) => changed('StatefulSet', 'zeromq-router', change);

describe('Kubernetes manifests', () => {
  it('exist for every node', () => {
    const kinds = system.map(({ kind }) => kind);
    for (const kind of ['Deployment', 'StatefulSet', 'Service', 'HorizontalPodAutoscaler', 'NetworkPolicy']) {
      assert.ok(kinds.includes(kind), kind);
    }
    assert.equal(kinds.filter((kind) => kind === 'PodDisruptionBudget').length, 3);
  });

  it('are valid against the schemas of Kubernetes', async () => {
    assert.deepEqual(await schemaFaults([...system, ...withSchema]), []);
    const faults = await schemaFaults(planted((one) => Object.assign(one.spec ?? {}, { replicas: 'two' })));
    assert.match(faults.join('\n'), /base\/router\.yaml: StatefulSet: .*replicas must be integer/);
  });

  it('have no unknown fields', () => {
    // One run of the compiler for all of them, and for one with a mistake in it.
    const mistaken = planted((one) => Object.assign(one.spec ?? {}, { replica: 2 }));
    const wrong = mistaken
      .filter(({ kind }) => kind === 'StatefulSet')
      .map((one) => ({ ...one, file: 'planted' }));
    const faults = typeFaults([...system, ...withSchema, ...wrong]);
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

  it('wait in a rollout until a pod is ready, and until nodes that look it up have reached it', () => {
    assert.deepEqual(checks.checkRollouts(system), []);
    const blind = planted(({ spec }) => {
      for (const container of spec?.template?.spec.containers ?? []) delete container.readinessProbe;
      delete spec?.minReadySeconds;
    });
    assert.deepEqual(checks.checkRollouts(blind), [
      'StatefulSet zeromq-router: no readinessProbe asks /readyz',
      'StatefulSet zeromq-router: minReadySeconds 0 is less than two look-ups',
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

  it('components: name existing workloads, pods, ports and Services', () => {
    const names = system.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    const find = (kind: string) => others.filter((one) => one.kind === kind);
    const targets = [...find('ScaledObject'), ...find('HorizontalPodAutoscaler')].map(({ spec }) => {
      const { kind = 'Deployment', name } = spec?.scaleTargetRef ?? {};
      return `${kind} ${name}`;
    });
    assert.deepEqual(targets, ['Deployment echo-worker', 'Deployment echo-worker']);
    for (const target of targets) assert.ok(names.includes(target), target);
    const [monitor] = find('PodMonitor') as unknown as [PodMonitor];
    const [{ values }] = monitor.spec.selector.matchExpressions;
    const scraped = system
      .filter(({ spec }) => spec?.template !== undefined)
      .map(({ metadata }) => metadata.name);
    assert.deepEqual([...values].sort(), scraped.sort());
    assert.deepEqual(
      monitor.spec.podMetricsEndpoints.map(({ port }) => port),
      ['admin'],
    );
    const [ingress] = find('Ingress') as unknown as [Ingress];
    const [{ http }] = ingress.spec.rules;
    const { service } = http.paths[0].backend;
    const known = system.find(({ kind, metadata }) => kind === 'Service' && metadata.name === service.name);
    assert.ok(
      known?.spec?.ports?.some(({ name }) => name === service.port.name),
      service.name,
    );
  });

  it('components: the PrometheusRule has the rules of alerts.yml', () => {
    const [rule] = others.filter(({ kind }) => kind === 'PrometheusRule');
    const alerts = parse(readFileSync(path.join(ROOT, 'deploy/prometheus/alerts.yml'), 'utf8')) as object;
    assert.deepEqual(rule?.spec, alerts);
  });
});

interface PodMonitor {
  readonly spec: {
    readonly selector: { readonly matchExpressions: [{ readonly values: readonly string[] }] };
    readonly podMetricsEndpoints: readonly { readonly port: string }[];
  };
}

interface Ingress {
  readonly spec: {
    readonly rules: [
      { http: { paths: [{ backend: { service: { name: string; port: { name: string } } } }] } },
    ];
  };
}
