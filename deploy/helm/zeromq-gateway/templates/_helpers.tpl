{{- define "zeromq-gateway.labels" -}}
app.kubernetes.io/part-of: zeromq-gateway
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Image of a container: that of the chart, with the settings of a worker. */}}
{{- define "zeromq-gateway.image" -}}
{{- $image := merge (deepCopy (default dict .own)) .root.Values.image -}}
image: {{ printf "%s:%s" $image.repository (default .root.Chart.AppVersion $image.tag) | quote }}
imagePullPolicy: {{ $image.pullPolicy }}
{{- end }}

{{/* What all pods have in common. */}}
{{- define "zeromq-gateway.pod" -}}
serviceAccountName: zeromq-gateway
automountServiceAccountToken: false
# Otherwise a Service named zmq-gateway would set ZMQ_GATEWAY_PORT in every pod.
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{/* Spreads the pods with a name over the nodes of the cluster. */}}
{{- define "zeromq-gateway.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: { app.kubernetes.io/name: {{ . }} }
{{- end }}

{{/* Variables of all containers, and those of the values. */}}
{{- define "zeromq-gateway.env" -}}
- { name: ZMQ_GATEWAY_ADMIN, value: "0.0.0.0:9090" }
# Without the token the admin listener serves only health and metrics.
- { name: ZMQ_GATEWAY_ADMIN_TOKEN_FILE, value: /run/secrets/zeromq-gateway/token }
- { name: ZMQ_GATEWAY_DRAIN, value: "20000" }
{{- if .root.Values.zones }}
- name: ZMQ_GATEWAY_ZONE
  valueFrom: { fieldRef: { fieldPath: "metadata.labels['topology.kubernetes.io/zone']" } }
{{- end }}
{{- range $name, $value := .env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}

{{/* Keys of a node that connects to routers. */}}
{{- define "zeromq-gateway.keys" -}}
- name: ZMQ_GATEWAY_CURVE_SERVER_KEY
  valueFrom: { secretKeyRef: { name: zeromq-router-keys, key: public-key } }
- name: ZMQ_GATEWAY_CURVE_SECRET_KEY
  valueFrom: { secretKeyRef: { name: {{ . }}, key: secret-key } }
{{- end }}

{{/* Probes at a port. */}}
{{- define "zeromq-gateway.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: {{ . }} }
  periodSeconds: 1
  failureThreshold: 30
livenessProbe:
  httpGet: { path: /livez, port: {{ . }} }
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: { path: /readyz, port: {{ . }} }
  periodSeconds: 2
{{- end }}

{{- define "zeromq-gateway.security" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{- define "zeromq-gateway.mounts" -}}
- { name: tmp, mountPath: /tmp }
- { name: admin-token, mountPath: /run/secrets/zeromq-gateway, readOnly: true }
{{- end }}

{{- define "zeromq-gateway.volumes" -}}
- { name: tmp, emptyDir: {} }
- name: admin-token
  secret: { secretName: zeromq-admin-token }
{{- end }}

{{/* A PodDisruptionBudget for the pods with a name. */}}
{{- define "zeromq-gateway.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  labels:
    {{- include "zeromq-gateway.labels" .root | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: { app.kubernetes.io/name: {{ .name }} }
{{- end }}
