{{- /* Labels of a release. Selectors and names are fixed and the same as in config/: one Ome per cluster, and kustomize and Helm can take over from each other. */}}
{{- define "ome.labels" -}}
app.kubernetes.io/part-of: ome
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* dict "image" VALUES "root" $ */}}
{{- define "ome.image" -}}
{{- $name := .image.repository }}
{{- with .root.Values.image.registry }}{{ $name = printf "%s/%s" . $name }}{{ end }}
{{- if .image.digest }}{{ $name }}@{{ .image.digest }}{{ else }}{{ $name }}:{{ .image.tag | default .root.Values.image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* Settings as arguments: modelsRootDir is --models-root-dir, lists are joined by commas, empty values left to the program. */}}
{{- define "ome.args" -}}
{{- range $name, $value := . }}
{{- if kindIs "slice" $value }}{{ $value = join "," $value }}{{ end }}
{{- if kindIs "float64" $value }}{{ $value = int64 $value }}{{ end }}
{{- if and (not (kindIs "invalid" $value)) (ne (toString $value) "") }}
- {{ printf "--%s=%v" (kebabcase $name) $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /* An object of files/, which make manifests writes, with the labels of the release, and in its namespace. dict "object" OBJECT "namespace" NS "root" $ */}}
{{- define "ome.owned" -}}
{{- $object := .object }}
{{- $_ := set $object.metadata "labels" (merge (include "ome.labels" .root | fromYaml) ($object.metadata.labels | default dict)) }}
{{- if $object.metadata.namespace }}{{ $_ := set $object.metadata "namespace" .namespace }}{{ end }}
{{- range $object.subjects }}{{ $_ := set . "namespace" $.root.Release.Namespace }}{{ end }}
{{- with .annotations }}{{ $_ := set $object.metadata "annotations" (merge (deepCopy .) ($object.metadata.annotations | default dict)) }}{{ end }}
{{- toYaml $object }}
{{- end }}
