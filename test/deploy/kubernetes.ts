/** The manifests under deploy/kubernetes, read as kustomize reads them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ROOT } from '../docs/pages.ts';

export const KUBERNETES = path.join(ROOT, 'deploy/kubernetes');

export type Labels = Readonly<Record<string, string>>;

interface Selector {
  matchLabels?: Labels;
}

export interface Probe {
  httpGet?: { path: string; port: string | number };
  periodSeconds?: number;
  timeoutSeconds?: number;
  failureThreshold?: number;
}

export interface Container {
  name: string;
  args: string[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string; key: string } } }[];
  ports?: { name?: string; containerPort: number }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  lifecycle?: { preStop?: { exec?: { command: string[] } } };
  securityContext?: { readOnlyRootFilesystem?: boolean; allowPrivilegeEscalation?: boolean };
  resources?: { requests?: object; limits?: { memory?: string } };
  volumeMounts?: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }[];
}

export interface PodTemplate {
  metadata: { labels: Labels };
  spec: {
    containers: Container[];
    volumes?: { name: string; configMap?: { name: string }; secret?: { secretName: string } }[];
    terminationGracePeriodSeconds?: number;
    enableServiceLinks?: boolean;
    automountServiceAccountToken?: boolean;
    securityContext?: { runAsNonRoot?: boolean };
  };
}

interface Peer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
}

interface Rule {
  from?: Peer[];
  to?: Peer[];
  ports?: { port: string | number }[];
}

/** What the checks read of the objects' specs; the schema decides whether it is there. */
export interface Spec {
  selector?: Selector & Labels;
  template?: PodTemplate;
  ports?: { name: string; port: number; targetPort: string | number }[];
  clusterIP?: string;
  serviceName?: string;
  replicas?: number;
  minReadySeconds?: number;
  minReplicas?: number;
  strategy?: { rollingUpdate?: { maxUnavailable?: number; maxSurge?: number } };
  scaleTargetRef?: { kind?: string; name: string };
  podSelector?: Selector;
  ingress?: Rule[];
  egress?: Rule[];
}

/** An object of Kubernetes; more is known of it once its schema was checked. */
export interface Manifest {
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { name: string; labels?: Record<string, string> };
  readonly spec?: Spec;
}

export interface Kustomization {
  readonly folder: string;
  readonly resources?: string[];
  readonly components?: string[];
  readonly patches?: { path?: string }[];
  readonly namespace?: string;
}

export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .sort();
}

export function kustomizations(): Kustomization[] {
  return filesUnder(KUBERNETES)
    .filter((file) => path.basename(file) === 'kustomization.yaml')
    .map((file) => {
      const [document] = parseAllDocuments(readFileSync(path.join(KUBERNETES, file), 'utf8'));
      return { ...(document?.toJS() as Omit<Kustomization, 'folder'>), folder: path.dirname(file) };
    });
}

/** The objects in a file. */
export function manifestsIn(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(path.join(KUBERNETES, file), 'utf8')).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return { ...(document.toJS() as Omit<Manifest, 'file'>), file };
  });
}

/** The objects that a folder's kustomization lists itself. */
export function resourcesOf({ folder, resources = [] }: Kustomization): Manifest[] {
  return resources
    .filter((each) => each.endsWith('.yaml'))
    .flatMap((file) => manifestsIn(path.join(folder, file)));
}
