{{/* Environment of a service. Takes { root, service, values }. */}}
{{- define "millrace.env" -}}
{{- $root := .root }}{{- $service := .service }}{{- $v := .root.Values }}
- { name: NATS_URL, value: {{ $v.nats.url | quote }} }
{{- if $v.nats.nkeysSecretName }}
- { name: NATS_NKEY_FILE, value: /run/millrace/secrets/nats-nkey }
{{- end }}
{{- if $v.nats.caSecretName }}
- { name: NATS_TLS_CA, value: /run/millrace/secrets/nats-ca.crt }
{{- end }}
- { name: MILLRACE_STREAMS_KEPT_BY, value: {{ $v.nats.streamsKeptBy }} }
- { name: MILLRACE_STREAM_REPLICAS, value: {{ $v.nats.streamReplicas | quote }} }
- { name: MILLRACE_LOG_LEVEL, value: {{ $v.telemetry.logLevel | quote }} }
{{- range $name, $_ := $v.services }}
{{- $host := include "millrace.objectName" (dict "root" $root "service" $name) }}
- { name: MILLRACE_{{ upper $name }}_GRPC, value: "{{ $host }}:7701" }
- { name: MILLRACE_{{ upper $name }}_HTTP, value: "{{ $host }}:7711" }
{{- end }}
{{- if $v.tls.enabled }}
- { name: MILLRACE_TLS_CA, value: /run/millrace/tls/ca.crt }
- { name: MILLRACE_TLS_CERT, value: /run/millrace/tls/tls.crt }
- { name: MILLRACE_TLS_KEY, value: /run/millrace/tls/tls.key }
{{- else }}
# Network policies say who reaches this pod.
- { name: MILLRACE_INSECURE, value: "1" }
{{- end }}
{{- if eq $v.store.type "mongodb" }}
- { name: MILLRACE_STORE_URL, value: {{ $v.store.mongodb.url | quote }} }
- { name: MILLRACE_STORE_USER, value: {{ $service }} }
- { name: MILLRACE_STORE_PASSWORD_FILE, value: /run/millrace/secrets/mongodb-password }
{{- if $v.store.mongodb.caSecretName }}
- { name: MILLRACE_STORE_TLS_CA, value: /run/millrace/secrets/mongodb-ca.crt }
{{- end }}
{{- end }}
{{- if eq $v.blobs.type "s3" }}
- { name: MILLRACE_BLOBS_URL, value: {{ $v.blobs.s3.url | quote }} }
{{- if $v.blobs.s3.secretName }}
- { name: AWS_SHARED_CREDENTIALS_FILE, value: /run/millrace/secrets/object-store }
{{- end }}
{{- end }}
{{- with $v.telemetry.otlpEndpoint }}
- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }} }
- { name: OTEL_TRACES_SAMPLER_ARG, value: {{ $v.telemetry.samplerArg | quote }} }
{{- end }}
{{- if eq $service "gateway" }}
- { name: MILLRACE_TOKEN_FILE, value: /run/millrace/secrets/token }
{{- end }}
{{- if and (eq $service "deployment") $v.gateway.publicUrl }}
- { name: MILLRACE_PUBLIC_URL, value: {{ $v.gateway.publicUrl | quote }} }
{{- end }}
{{- if eq $service "bridge" }}
{{- if $v.kafka.brokers }}
- { name: MILLRACE_KAFKA_BROKERS, value: {{ $v.kafka.brokers | quote }} }
{{- range $name, $value := $v.kafka.env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- if $v.kafka.secretName }}
- { name: MILLRACE_KAFKA_SASL_PASSWORD_FILE, value: /run/millrace/secrets/kafka-password }
{{- end }}
{{- end }}
{{- if $v.bridge.secretsKeySecretName }}
- { name: MILLRACE_SECRETS_KEY_FILE, value: /run/millrace/secrets/webhook-secrets-key }
{{- end }}
{{- end }}
{{- range $name, $value := merge (dict) (.values.env | default dict) $v.defaults.env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}

{{/* Files of secrets that a service is given, and no more than its own. Takes { root, service }. */}}
{{- define "millrace.secrets" -}}
{{- $v := .root.Values }}{{- $service := .service }}
{{- if eq $v.store.type "mongodb" }}
- secret: { name: {{ $v.store.mongodb.secretName }}, items: [{ key: {{ $service }}, path: mongodb-password }] }
{{- with $v.store.mongodb.caSecretName }}
- secret: { name: {{ . }}, items: [{ key: ca.crt, path: mongodb-ca.crt }] }
{{- end }}
{{- end }}
{{- with $v.nats.nkeysSecretName }}
- secret: { name: {{ . }}, items: [{ key: {{ $service }}, path: nats-nkey }] }
{{- end }}
{{- with $v.nats.caSecretName }}
- secret: { name: {{ . }}, items: [{ key: ca.crt, path: nats-ca.crt }] }
{{- end }}
{{- if and (eq $v.blobs.type "s3") $v.blobs.s3.secretName }}
- secret: { name: {{ $v.blobs.s3.secretName }}, items: [{ key: credentials, path: object-store }] }
{{- end }}
{{- if eq $service "gateway" }}
- secret: { name: {{ $v.gateway.tokenSecretName }}, items: [{ key: token, path: token }] }
{{- end }}
{{- if and (eq $service "bridge") $v.kafka.brokers $v.kafka.secretName }}
- secret: { name: {{ $v.kafka.secretName }}, items: [{ key: password, path: kafka-password }] }
{{- end }}
{{- if and (eq $service "bridge") $v.bridge.secretsKeySecretName }}
- secret: { name: {{ $v.bridge.secretsKeySecretName }}, items: [{ key: key, path: webhook-secrets-key }] }
{{- end }}
{{- end }}
