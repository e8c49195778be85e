/** Checks of relations between the manifests, which schemas do not express. Each returns its findings. */
import path from 'node:path';
import { COMMANDS } from '../../src/cli/program.ts';
import { type Command, DNS_SETTINGS } from '../../src/cli/settings/command.ts';
import { resolveSettings } from '../../src/cli/settings/settings.ts';
import { settingsSchema } from '../../src/gateway/index.ts';
import { type CurveKeyPair, curveKeyPair } from '../../src/transport/curve/keys.ts';
import { type Container, type Labels, type Manifest, type PodTemplate } from './kubernetes.ts';

/** Seconds that must remain after the drain. */
const SPARE = 2;

const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;

/** Returns the objects that create pods, each with its pod template. */
function podsOf(manifests: readonly Manifest[]): { owner: Manifest; template: PodTemplate }[] {
  return manifests.flatMap((owner) => {
    const template = owner.spec?.template;
    return template === undefined ? [] : [{ owner, template }];
  });
}

const matches = (selector: Labels | undefined, labels: Labels): boolean =>
  selector !== undefined && Object.entries(selector).every(([name, value]) => labels[name] === value);

function valueOf(container: Container, variable: string): string | undefined {
  return container.env?.find(({ name }) => name === variable)?.value;
}

/** Checks that selectors and references match objects. */
export function checkReferences(manifests: readonly Manifest[]): string[] {
  const pods = podsOf(manifests);
  const selecting = manifests.flatMap((one) => {
    const { kind, spec } = one;
    if (kind === 'Service') return [[nameOf(one), spec?.selector] as const];
    if (kind === 'NetworkPolicy') return [[nameOf(one), spec?.podSelector?.matchLabels] as const];
    return spec?.selector === undefined ? [] : [[nameOf(one), spec.selector.matchLabels] as const];
  });
  const blind = selecting
    .filter(([, labels]) => !pods.some(({ template }) => matches(labels, template.metadata.labels)))
    .map(([name]) => `${name} selects no pod`);
  const astray = manifests.flatMap((one) => {
    const target = one.spec?.scaleTargetRef;
    const known = manifests.some(
      ({ kind, metadata }) => kind === target?.kind && metadata.name === target.name,
    );
    return target === undefined || known ? [] : [`${nameOf(one)} scales nothing`];
  });
  const foreign = pods
    .filter(({ owner, template }) => !matches(owner.spec?.selector?.matchLabels, template.metadata.labels))
    .map(({ owner }) => `${nameOf(owner)} does not select its own pods`);
  const headless = manifests.flatMap((one) => {
    const name = one.spec?.serviceName;
    if (one.kind !== 'StatefulSet') return [];
    const service = manifests.find(({ kind, metadata }) => kind === 'Service' && metadata.name === name);
    return service?.spec?.clusterIP === 'None' ? [] : [`${nameOf(one)} has no headless Service ${name}`];
  });
  return [...blind, ...astray, ...foreign, ...headless];
}

/** Checks that ports are referenced by name, and that the selected pods have a port of each name. */
export function checkPorts(manifests: readonly Manifest[]): string[] {
  const pods = podsOf(manifests);
  const portsOf = (labels: Labels | undefined) =>
    pods
      .filter(({ template }) => matches(labels, template.metadata.labels))
      .flatMap(({ template }) => template.spec.containers)
      .flatMap(({ ports = [] }) => ports.map(({ name }) => name));
  const known = (labels: Labels | undefined, port: string | number) =>
    port === 53 || portsOf(labels).includes(String(port));
  return manifests.flatMap((one) => {
    const { kind, spec } = one;
    const faults: string[] = [];
    const demand = (labels: Labels | undefined, port: string | number) => {
      if (!known(labels, port)) faults.push(`${nameOf(one)}: no pod has the port ${port}`);
    };
    if (kind === 'Service') {
      for (const { targetPort } of spec?.ports ?? []) demand(spec?.selector, targetPort);
    }
    if (kind === 'NetworkPolicy') {
      const own = spec?.podSelector?.matchLabels;
      for (const { ports = [] } of spec?.ingress ?? []) for (const { port } of ports) demand(own, port);
      for (const { to = [{}], ports = [] } of spec?.egress ?? []) {
        for (const { port } of ports)
          for (const { podSelector } of to) demand(podSelector?.matchLabels, port);
      }
    }
    for (const container of spec?.template?.spec.containers ?? []) {
      for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
        if (probe?.httpGet !== undefined) demand(spec?.template?.metadata.labels, probe.httpGet.port);
      }
    }
    return faults;
  });
}

/** The health check of a container: the command of the image, which asks the admin listener. */
export const HEALTH_COMMAND = ['node', '/app/dist/cli/main.js', 'health'];

/** The longest time between two look-ups of a DNS name, in seconds: the interval and a tenth of it. */
const LOOKUP = (DNS_SETTINGS.dnsInterval.default / 1000) * 1.1;

/**
 * Checks that a rollout waits for each pod: until it is ready, and then until nodes that look it up
 * have reached it. Gateways are reached through a Service instead.
 */
export function checkRollouts(manifests: readonly Manifest[]): string[] {
  return podsOf(manifests).flatMap(({ owner, template }) => {
    const unready = template.spec.containers.filter(({ readinessProbe }) => {
      return readinessProbe?.httpGet?.path !== '/readyz';
    });
    const faults = unready.map(() => `${nameOf(owner)}: no readinessProbe asks /readyz`);
    const { minReadySeconds = 0 } = owner.spec ?? {};
    const isGateway = template.spec.containers.some(({ args }) => args[0] === 'gateway');
    if (!isGateway && minReadySeconds < 2 * LOOKUP)
      faults.push(`${nameOf(owner)}: minReadySeconds ${minReadySeconds} is less than two look-ups`);
    return faults;
  });
}

/** Checks that probes request paths that exist. */
export function checkProbes(manifests: readonly Manifest[]): string[] {
  const { value } = settingsSchema.validate({}) as { value: { paths: { livez: string; readyz: string } } };
  const paths = {
    startupProbe: value.paths.livez,
    livenessProbe: value.paths.livez,
    readinessProbe: value.paths.readyz,
  };
  return podsOf(manifests).flatMap(({ owner, template }) =>
    template.spec.containers.flatMap((container) =>
      (Object.keys(paths) as (keyof typeof paths)[])
        .filter(
          (probe) => (container.ports ?? []).length > 0 && container[probe]?.httpGet?.path !== paths[probe],
        )
        .map((probe) => `${nameOf(owner)}: ${probe} does not ask for ${paths[probe]}`),
    ),
  );
}

type Variable = NonNullable<Container['env']>[number];

/** Returns the mounts of ConfigMaps, Secrets or both in a container. */
function mountsOf(
  { volumeMounts = [] }: Container,
  { volumes = [] }: PodTemplate['spec'],
  kinds: readonly ('configMap' | 'secret')[] = ['configMap', 'secret'],
) {
  return volumeMounts.filter(({ name }) =>
    volumes.some((volume) => volume.name === name && kinds.some((kind) => volume[kind] !== undefined)),
  );
}

/** Returns a valid value for a variable: a key if it comes from a Secret, an existing file if it is a mounted file. */
function sampleOf({ value, valueFrom }: Variable, keys: CurveKeyPair, folders: string[]): string | undefined {
  const key = valueFrom?.secretKeyRef?.key;
  if (key !== undefined) return key === 'public-key' ? keys.publicKey : keys.secretKey;
  return folders.includes(path.dirname(value ?? '')) ? import.meta.filename : value;
}

/** Checks that the command accepts the arguments and variables. */
export async function checkSettings(manifests: readonly Manifest[]): Promise<string[]> {
  const faults: string[] = [];
  const keys = curveKeyPair();
  for (const { owner, template } of podsOf(manifests)) {
    for (const container of template.spec.containers) {
      const { args, env = [] } = container;
      const folders = mountsOf(container, template.spec).map(({ mountPath }) => mountPath);
      const [name = '', ...rest] = args;
      const command: Command | undefined = await COMMANDS[name]?.load();
      if (command === undefined) {
        faults.push(`${nameOf(owner)}: there is no command ${name}`);
        continue;
      }
      const variables = Object.fromEntries(env.map((each) => [each.name, sampleOf(each, keys, folders)]));
      const positional = Object.entries(command.settings).filter(([, each]) => each.positional);
      const flags = Object.fromEntries(positional.map(([setting], at) => [setting, rest.slice(at)]));
      const read = new Set<string>();
      const seen = new Proxy(variables, { get: (all, key) => (read.add(String(key)), all[String(key)]) });
      try {
        resolveSettings(name, command.settings, { flags, env: seen, file: undefined, cwd: process.cwd() });
      } catch (error) {
        faults.push(`${nameOf(owner)}: ${String(error)}`);
      }
      const strange = Object.keys(variables).filter((variable) => !read.has(variable));
      faults.push(...strange.map((variable) => `${nameOf(owner)}: ${name} does not read ${variable}`));
    }
  }
  return faults;
}

/** Checks that the grace period covers preStop, the drain and a margin. */
export function checkGrace(manifests: readonly Manifest[]): string[] {
  return podsOf(manifests).flatMap(({ owner, template }) =>
    template.spec.containers.flatMap((container) => {
      const grace = template.spec.terminationGracePeriodSeconds ?? 30;
      const [, before = '0'] = container.lifecycle?.preStop?.exec?.command ?? [];
      const needed =
        Number(before) + Number(valueOf(container, 'ZMQ_GATEWAY_DRAIN') ?? 10_000) / 1000 + SPARE;
      return grace >= needed ? [] : [`${nameOf(owner)}: ${grace} s of grace, ${needed} s are needed`];
    }),
  );
}

/** Checks that `dns://NAME:PORT` names a headless Service and a port of it. */
export function checkNames(manifests: readonly Manifest[]): string[] {
  const services = manifests.filter(({ kind }) => kind === 'Service');
  return podsOf(manifests).flatMap(({ owner, template }) =>
    template.spec.containers.flatMap(({ env = [] }) =>
      env.flatMap(({ value = '' }) => {
        const [, name, port] = /^dns:\/\/([\w-]+):(\d+)$/.exec(value) ?? [];
        if (name === undefined) return [];
        const service = services.find(({ metadata }) => metadata.name === name);
        const found = service?.spec?.ports?.some((each) => each.port === Number(port));
        const headless = service?.spec?.clusterIP === 'None';
        return found && headless
          ? []
          : [`${nameOf(owner)}: ${value} does not resolve to a port of a headless Service`];
      }),
    ),
  );
}

/** Checks that every router has CURVE keys, and every pod that connects to a router too. */
export function checkKeys(manifests: readonly Manifest[]): string[] {
  return podsOf(manifests).flatMap(({ owner, template }) =>
    template.spec.containers.flatMap(({ args, env = [] }) => {
      const names = env.map(({ name }) => name);
      const needed = ['ZMQ_GATEWAY_CURVE_SECRET_KEY'];
      if (args[0] !== 'router') needed.push('ZMQ_GATEWAY_CURVE_SERVER_KEY');
      const missing = needed.filter((name) => !names.includes(name)).map((name) => `lacks ${name}`);
      const open = env.filter(({ name, value }) => name.includes('CURVE_SECRET') && value !== undefined);
      const faults = [...missing, ...open.map(({ name }) => `contains ${name} in plain text`)];
      return faults.map((fault) => `${nameOf(owner)} ${fault}`);
    }),
  );
}

/** Checks that each router reads its allow list from a ConfigMap, follows it, and cannot change it. */
export function checkAllowList(manifests: readonly Manifest[]): string[] {
  return podsOf(manifests).flatMap(({ owner, template }) =>
    template.spec.containers.flatMap((container) => {
      if (container.args[0] !== 'router') return [];
      const file = valueOf(container, 'ZMQ_GATEWAY_ALLOW_LIST');
      if (file === undefined) return [`${nameOf(owner)} accepts every peer that knows its public key`];
      const mount = mountsOf(container, template.spec, ['configMap']).find(
        ({ mountPath }) => mountPath === path.dirname(file),
      );
      if (mount === undefined) return [`${nameOf(owner)}: ${file} is in no ConfigMap`];
      // A file mounted with subPath does not follow changes of its ConfigMap.
      const right = mount.readOnly === true && mount.subPath === undefined;
      return right ? [] : [`${nameOf(owner)}: ${file} does not follow its ConfigMap, or can be changed`];
    }),
  );
}

/** Checks that each admin listener has a token from a Secret. Without one, its dashboard is unreachable. */
export function checkAdmin(manifests: readonly Manifest[]): string[] {
  return podsOf(manifests).flatMap(({ owner, template }) =>
    template.spec.containers.flatMap((container) => {
      if (valueOf(container, 'ZMQ_GATEWAY_ADMIN') === undefined) return [];
      const folder = path.dirname(valueOf(container, 'ZMQ_GATEWAY_ADMIN_TOKEN_FILE') ?? '');
      const secrets = mountsOf(container, template.spec, ['secret']);
      const found = secrets.some(({ mountPath }) => mountPath === folder);
      return found ? [] : [`${nameOf(owner)} has no token for its admin listener`];
    }),
  );
}

/** Checks that pods have no unnecessary permissions, and that no Service sets their variables. */
export function checkRights(manifests: readonly Manifest[]): string[] {
  return podsOf(manifests).flatMap(({ owner, template: { spec } }) => {
    const held: [boolean, string][] = [
      [spec.securityContext?.runAsNonRoot === true, 'may run as root'],
      [spec.automountServiceAccountToken === false, 'has a token for the API'],
      [spec.enableServiceLinks === false, 'gets variables of Services'],
      ...spec.containers.flatMap(({ securityContext, resources }): [boolean, string][] => [
        [securityContext?.readOnlyRootFilesystem === true, 'may write to its image'],
        [securityContext?.allowPrivilegeEscalation === false, 'may gain rights'],
        [resources?.requests !== undefined && resources.limits?.memory !== undefined, 'has no bounds'],
      ]),
    ];
    return held.filter(([right]) => !right).map(([, fault]) => `${nameOf(owner)} ${fault}`);
  });
}
