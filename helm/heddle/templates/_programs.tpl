{{/*
What each program has, as its settings say (internal/app/mesh/programs). A setting that a program does not know is an error at its
start, so each gets its own and no other: helm.test.ts runs --check-config with them.
*/}}
{{- define "heddle.programs" -}}
gateway: { listeners: [grpc, web, admin], rows: true, auth: true, tickets: private }
push: { listeners: [link, grpc, web, admin], tickets: public }
message: { listeners: [link, grpc, web, admin], rows: true, auth: true, messages: true }
channel: { listeners: [link, admin] }
presence: { listeners: [link, grpc, web, admin], rows: true, auth: true }
thread: { listeners: [link, grpc, web, admin], rows: true, auth: true }
controlplane: { listeners: [xds, admin] }
{{- end }}

{{/* Ports of pods: the same in each. */}}
{{- define "heddle.ports" -}}
{ link: 7400, grpc: 7401, web: 7402, admin: 7403, xds: 7404 }
{{- end }}

{{/* The environment of one program: (dict "root" $ "service" "push" "program" … "own" the service's values). */}}
{{- define "heddle.env" -}}
{{- $values := .root.Values }}
{{- $ports := include "heddle.ports" . | fromYaml }}
- name: HEDDLE_PROFILE
  value: production
- name: HEDDLE_NAME
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: HEDDLE_ADVERTISE_HOST
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
{{- range .program.listeners }}
- name: HEDDLE_{{ upper . }}_ADDR
  value: "0.0.0.0:{{ index $ports . }}"
{{- end }}
- name: HEDDLE_REGISTRY_URL
  value: {{ join "," $values.etcd.urls | quote }}
- name: HEDDLE_TLS_CERT
  value: /etc/heddle/tls/tls.crt
- name: HEDDLE_TLS_KEY
  value: /etc/heddle/tls/tls.key
- name: HEDDLE_TLS_CA
  value: /etc/heddle/tls/ca.crt
- name: HEDDLE_DRAIN_MS
  value: {{ $values.drainMs | int | quote }}
- name: HEDDLE_LOG_LEVEL
  value: {{ $values.logLevel }}
{{- if .program.rows }}
- name: HEDDLE_DATABASE_URL_FILE
  value: /etc/heddle/postgres/url
{{- end }}
{{- if .program.auth }}
- name: HEDDLE_AUTH_ISSUER
  value: {{ required "auth.issuer: say who signs user tokens" $values.auth.issuer | quote }}
- name: HEDDLE_AUTH_JWKS_URL
  value: {{ required "auth.jwksUrl: say where the keys are that sign user tokens" $values.auth.jwksUrl | quote }}
- name: HEDDLE_AUTH_AUDIENCE
  value: {{ $values.auth.audience | quote }}
- name: HEDDLE_AUTH_USER_CLAIM
  value: {{ $values.auth.userClaim | quote }}
{{- end }}
{{- if .program.tickets }}
- name: HEDDLE_TICKET_KEYS_FILE
  value: /etc/heddle/tickets/keys.json
{{- end }}
{{- if eq .service "gateway" }}
{{- /* All clients come from the edge's pods, which have no fixed addresses: a limit by address would count them as one. */}}
- name: HEDDLE_OPENS_PER_ADDRESS
  value: "0"
{{- end }}
{{- if eq .service "push" }}
- name: HEDDLE_GRPC_URL
  value: {{ required "publicUrl: say what clients dial" $values.publicUrl | quote }}
- name: HEDDLE_WEB_URL
  value: {{ $values.publicUrl | quote }}
{{- end }}
{{- if .program.messages }}
- name: HEDDLE_MESSAGE_STORE
  value: {{ $values.messages.store }}
{{- if eq $values.messages.store "hbase" }}
- name: HEDDLE_HBASE_QUORUM
  value: {{ required "messages.hbase.quorum: name ZooKeeper's members" $values.messages.hbase.quorum | quote }}
- name: HEDDLE_HBASE_TABLE
  value: {{ $values.messages.hbase.table | quote }}
{{- end }}
{{- end }}
{{- range $name, $value := .own.env }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}
