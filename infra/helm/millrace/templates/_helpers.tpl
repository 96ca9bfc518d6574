{{- define "millrace.name" -}}
{{- .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* A prefix of every object: the release, with the chart's name unless it is in there. */}}
{{- define "millrace.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Name of a service's objects. Takes { root, service }. */}}
{{- define "millrace.objectName" -}}
{{ include "millrace.fullname" .root }}-{{ .service }}
{{- end }}

{{/* Labels by which a service's pods are found. Takes { root, service }. */}}
{{- define "millrace.selector" -}}
app.kubernetes.io/name: {{ include "millrace.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .service }}
{{- end }}

{{- define "millrace.labels" -}}
{{ include "millrace.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "millrace.tlsSecret" -}}
{{ .root.Values.tls.secretName | replace "{service}" .service }}
{{- end }}

{{/* The claim that blobs are on. */}}
{{- define "millrace.blobsClaim" -}}
{{ .Values.blobs.volume.existingClaim | default (printf "%s-blobs" (include "millrace.fullname" .)) }}
{{- end }}

{{/* Whether a service runs users' Python, on an image with Python. Takes { service }. */}}
{{- define "millrace.runsPython" -}}
{{- if has .service (list "ingest" "training" "evaluation" "registry" "deployment") }}true{{ end }}
{{- end }}

{{/* The claim that environments of Python are on. */}}
{{- define "millrace.pythonClaim" -}}
{{ .Values.python.volume.existingClaim | default (printf "%s-python" (include "millrace.fullname" .)) }}
{{- end }}

{{/* Whether more than one replica is asked for. Takes { root, service, values }. */}}
{{- define "millrace.scales" -}}
{{- $auto := .values.autoscaling | default dict -}}
{{- if $auto.enabled }}{{ if gt (int $auto.maxReplicas) 1 }}true{{ end }}
{{- else if gt (int .values.replicas) 1 }}true{{ end }}
{{- end }}

{{/* What callers may call whom: files/callers.json, which a test holds to the table of the services. */}}
{{- define "millrace.callers" -}}
{{ .Files.Get "files/callers.json" }}
{{- end }}
