{{/*
Envoy's configuration: files/edge.yaml is a link to envoy/edge.yaml of the project, and this fills it in as envoy/render-edge.ts does: a test
holds both equal. Values are JSON, which is YAML.
*/}}
{{- define "heddle.edgeYaml" -}}
{{- $ports := include "heddle.ports" . | fromYaml }}
{{- $text := .Files.Get "files/edge.yaml" }}
{{- $block := regexFind "(?ms)^ *# for each \\$\\{SERVICE\\}\\n.*?^ *# end\\n" $text }}
{{- $body := regexReplaceAll "(?m)^ *# (for each \\$\\{SERVICE\\}|end)\\n" $block "" }}
{{- $all := "" }}
{{- range list "gateway" "message" "thread" "presence" }}
{{- $all = print $all (replace "${SERVICE}" . $body) }}
{{- end }}
{{- $text = replace $block $all $text }}
{{- $cors := .Files.Get "files/cors.yaml" | fromYaml }}
{{- $origins := list }}
{{- range .Values.edge.origins }}
{{- $origins = append $origins (dict "safe_regex" (dict "regex" .)) }}
{{- end }}
{{- $values := dict
  "NODE_ID" .Release.Name
  "LISTEN_HOST" "0.0.0.0"
  "LISTEN_PORT" 8443
  "ADMIN_HOST" "127.0.0.1"
  "ADMIN_PORT" 9901
  "CONTROLPLANE_HOST" (include "heddle.name" (dict "root" . "service" "controlplane"))
  "CONTROLPLANE_PORT" (int $ports.xds)
  "MAX_CONNECTIONS" (int .Values.edge.maxConnections)
  "EDGE_SECRET" "/etc/heddle/edge/edge.json"
  "ENVOY_SECRET" "/etc/heddle/edge/envoy.json"
  "CA_SECRET" "/etc/heddle/edge/ca.json"
  "ORIGINS" $origins
  "CORS_METHODS" $cors.methods
  "CORS_HEADERS" $cors.headers
  "CORS_EXPOSED_HEADERS" $cors.exposedHeaders }}
{{- range $name, $value := $values }}
{{- $text = replace (printf "${%s}" $name) (toRawJson $value) $text }}
{{- end }}
{{- $text }}
{{- end }}

{{/* A secret that Envoy reads, and reads again when the folder of its files changes. */}}
{{- define "heddle.edgeSecret" -}}
{{- $type := "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret" }}
{{- $watched := dict "path" .folder }}
{{- if eq .name "ca" }}
{{- $trusted := dict "trusted_ca" (dict "filename" (print .folder "/ca.crt")) "watched_directory" $watched }}
{{- dict "resources" (list (dict "@type" $type "name" .name "validation_context" $trusted)) | toRawJson }}
{{- else }}
{{- $chain := dict "filename" (print .folder "/tls.crt") }}
{{- $key := dict "filename" (print .folder "/tls.key") }}
{{- $own := dict "certificate_chain" $chain "private_key" $key "watched_directory" $watched }}
{{- dict "resources" (list (dict "@type" $type "name" .name "tls_certificate" $own)) | toRawJson }}
{{- end }}
{{- end }}
