{{- /* topology.yaml, the same in all clusters. Paths of files start at its folder. */ -}}
{{- define "cascade.topology" -}}
{{- $auth := dict "node" (dict "secret_file" "secrets/node-secret") -}}
{{- range $kind := list "publish" "watch" -}}
{{- $_ := set $auth $kind (ternary "open" (dict "token_file" (printf "secrets/%s-token" $kind)) (eq (get $.Values.auth $kind) "open")) -}}
{{- end -}}
{{- $regions := list -}}
{{- $nodes := list -}}
{{- $names := list -}}
{{- range $region := .Values.regions -}}
{{- if has $region.name $names }}{{ fail (printf "regions: two are called %s" $region.name) }}{{ end -}}
{{- $names = append $names $region.name -}}
{{- $regions = append $regions (pick $region "name" "location" "hostnames" "hub") -}}
{{- range $role := list "origin" "edge" -}}
{{- $plan := include "cascade.plan" (dict "root" $ "region" $region "role" $role) | fromJson -}}
{{- range $i := until (int $plan.listed) -}}
{{- $nodes = append $nodes (include "cascade.node" (dict "root" $ "region" $region.name "role" $role "plan" $plan "ordinal" $i) | fromJson) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $rest := deepCopy .Values.topology -}}
{{- with $rest.limits }}
{{- $limits := dict -}}
{{- /* Numbers of values are floating ones, which would be written as 1e+06. */ -}}
{{- range $key, $value := . }}{{ $_ := set $limits $key (ternary (int64 $value) $value (kindIs "float64" $value)) }}{{ end -}}
{{- $_ := set $rest "limits" $limits -}}
{{- end -}}
{{- $drain := dict "drain_deadline" (printf "%ds" (int .Values.drainSeconds)) -}}
{{- toYaml (merge (dict "version" 1 "auth" $auth "regions" $regions "nodes" $nodes) $drain $rest) -}}
{{- end -}}

{{- /* One node, as JSON: dict "root" "region" "role" "plan" "ordinal". */ -}}
{{- define "cascade.node" -}}
{{- $values := .root.Values -}}
{{- $its := get $values .role -}}
{{- $name := printf "%s-%d" (include "cascade.set" .) .ordinal -}}
{{- $host := printf "%s.%s.%s.svc.%s" $name (include "cascade.service" .) .root.Release.Namespace $values.clusterDomain -}}
{{- $listen := include "cascade.host" $values.listen -}}
{{- $public := dict "listen" (printf "%s:8080" $listen) -}}
{{- with .plan.url }}{{ $_ := set $public "url" . }}{{ end -}}
{{- with $values.tls.secretName }}{{ $_ := set $public "tls" (dict "certificate" "tls/tls.crt" "key" "tls/tls.key") }}{{ end -}}
{{- with $values.proxies }}{{ $_ := set $public "proxies" . }}{{ end -}}
{{- $media := dict "listen" $values.listen "port" (int $its.mediaPort) "workers" (int $its.workers) -}}
{{- /* A load balancer's address leads to one pod, a machine's to whichever pod has come there. */ -}}
{{- if eq $values.media.expose "loadBalancer" -}}
{{- $_ := set $media "advertise" (list (index .plan.advertise .ordinal)) -}}
{{- else if eq $values.media.expose "hostPort" -}}
{{- $_ := set $media "advertise" .plan.advertise -}}
{{- end -}}
{{- $node := dict "name" $name "role" .role "region" .region "public" $public "media" $media
    "internal" (dict "listen" (printf "%s:9080" $listen) "url" (printf "http://%s:9080" $host)) -}}
{{- if eq .role "edge" -}}
{{- $slices := dict "directory" "/slices" "service" (include "cascade.service" (dict "root" .root "role" "origin")) "port" 9080 -}}
{{- $_ := set $node "upstream" (dict "endpoint_slices" $slices) -}}
{{- else -}}
{{- $_ := set $node "viewers" $its.viewers -}}
{{- end -}}
{{- toJson $node -}}
{{- end -}}
