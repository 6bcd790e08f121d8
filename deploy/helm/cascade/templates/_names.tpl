{{- /* The same in all clusters: Services of one name are one global Service. */ -}}
{{- define "cascade.name" -}}
{{- if contains "cascade" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-cascade{{ end }}
{{- end -}}

{{- /* The headless Service of a role: dict "root" $ "role" ("origin" or "edge"). */ -}}
{{- define "cascade.service" -}}
{{ include "cascade.name" .root }}-{{ .role }}
{{- end -}}

{{- /* The StatefulSet of a role in a region, whose pods' names are the nodes': dict "root" "role" "region". */ -}}
{{- define "cascade.set" -}}
{{- $name := printf "%s-%s" (include "cascade.service" .) .region -}}
{{- if gt (len $name) 52 }}{{ fail (printf "%s: longer than 52 characters, which pods of a StatefulSet cannot have; choose a shorter release or region name" $name) }}{{ end -}}
{{ $name }}
{{- end -}}

{{- define "cascade.selector" -}}
app.kubernetes.io/name: cascade
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{- define "cascade.labels" -}}
app.kubernetes.io/name: cascade
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* This cluster's region, as JSON. */ -}}
{{- define "cascade.region" -}}
{{- $found := dict -}}
{{- $names := list -}}
{{- range .Values.regions }}
{{- $names = append $names .name -}}
{{- if eq .name $.Values.region }}{{ $found = . }}{{ end -}}
{{- end -}}
{{- if not $found }}{{ fail (printf "region: \"%s\" is none of regions (%s)" .Values.region (join ", " $names)) }}{{ end -}}
{{- toJson $found -}}
{{- end -}}

{{- /* What a region says of a role, as JSON: dict "root" "region" (object) "role". `listed`: so many nodes of it are in the
topology, since those that scaling adds have to be known before. */ -}}
{{- define "cascade.plan" -}}
{{- $plan := deepCopy (get .region (printf "%ss" .role) | default dict) -}}
{{- $count := int $plan.count -}}
{{- $listed := $count -}}
{{- if and $count (eq .role "edge") .root.Values.edge.autoscaling.enabled -}}
{{- $listed = int $plan.max -}}
{{- if lt $listed $count }}{{ fail (printf "regions: edges of %s need `max`, at least their count, since edge.autoscaling is enabled" .region.name) }}{{ end -}}
{{- end -}}
{{- $expose := .root.Values.media.expose -}}
{{- $advertised := len ($plan.advertise | default list) -}}
{{- if and $count (ne $expose "none") (not $advertised) -}}
{{- fail (printf "regions: %ss of %s need `advertise`, since media.expose is %s" .role .region.name $expose) -}}
{{- else if and (eq $expose "loadBalancer") (ne $advertised $listed) -}}
{{- fail (printf "regions: %ss of %s need %d addresses in `advertise`, one for each pod, since media.expose is loadBalancer" .role .region.name $listed) -}}
{{- end -}}
{{- toJson (merge (dict "listed" $listed) $plan) -}}
{{- end -}}

{{- /* How an address stands before a port. */ -}}
{{- define "cascade.host" -}}
{{- if contains ":" . }}[{{ . }}]{{ else }}{{ . }}{{ end -}}
{{- end -}}
