{{/* Labels of everything: call with (dict "root" $ "service" "push"). */}}
{{- define "heddle.labels" -}}
{{ include "heddle.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* Labels by which pods of one service are known. They never change, or an upgrade is refused. */}}
{{- define "heddle.selector" -}}
app.kubernetes.io/name: heddle
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .service }}
{{- end }}

{{/* The name of a service's objects. */}}
{{- define "heddle.name" -}}
{{ printf "%s-%s" .root.Release.Name .service | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Pods of one service apart from each other. */}}
{{- define "heddle.spread" -}}
{{- range .root.Values.spread }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "heddle.selector" $ | nindent 6 }}
{{- end }}
{{- end }}

{{/* Nobody is root, and nothing is written but what is named. */}}
{{- define "heddle.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "heddle.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.userId }}
runAsGroup: {{ .Values.userId }}
fsGroup: {{ .Values.userId }}
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{/* Seconds from SIGTERM to SIGKILL: the drain, and time to close what is left. */}}
{{- define "heddle.graceSeconds" -}}
{{ add 15 (div (add .Values.drainMs 999) 1000) }}
{{- end }}
