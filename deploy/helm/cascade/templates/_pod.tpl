{{- /* The pod of a role: dict "root" $ "role". */ -}}
{{- define "cascade.pod" -}}
{{- $values := .root.Values -}}
{{- $its := get $values .role -}}
{{- $isEdge := eq .role "edge" -}}
{{- $sync := printf "%s-endpointslice-sync" (include "cascade.name" .root) -}}
metadata:
  labels: {{- include "cascade.selector" . | nindent 4 }}
  annotations:
    # Nodes read the topology when they start.
    checksum/topology: {{ include "cascade.topology" .root | sha256sum }}
    {{- if $isEdge }}
    checksum/endpointslice-sync: {{ .root.Files.Get "files/endpointslice-sync.sh" | sha256sum }}
    {{- end }}
    prometheus.io/scrape: "true"
    prometheus.io/port: "9080"
    prometheus.io/path: /metrics
    {{- with $its.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  {{- if $isEdge }}
  serviceAccountName: {{ $sync }}
  {{- end }}
  # The sidecar alone has a token.
  automountServiceAccountToken: false
  enableServiceLinks: false
  # Longer than all that the node waits for.
  terminationGracePeriodSeconds: {{ add $values.preStopSeconds $values.drainSeconds 15 }}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    seccompProfile: { type: RuntimeDefault }
  {{- if $isEdge }}
  initContainers:
    - name: endpointslice-sync
      # A sidecar: it starts before the edge and ends after it.
      restartPolicy: Always
      image: {{ printf "%s:%s" $values.endpointSliceSync.image.repository $values.endpointSliceSync.image.tag | quote }}
      imagePullPolicy: {{ $values.endpointSliceSync.image.pullPolicy }}
      command: [sh, /script/endpointslice-sync.sh]
      env:
        - { name: SERVICE, value: {{ include "cascade.service" (dict "root" .root "role" "origin") }} }
        - { name: DIRECTORY, value: /slices }
      resources: {{- toYaml $values.endpointSliceSync.resources | nindent 8 }}
      securityContext: {{- include "cascade.locked" . | nindent 8 }}
      volumeMounts:
        - { name: slices, mountPath: /slices }
        - { name: script, mountPath: /script, readOnly: true }
        - { name: account, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true }
  {{- end }}
  containers:
    - name: {{ .role }}
      image: {{ printf "%s:%s" (required "image.repository: where your image of Cascade is (docs/kubernetes.md)" $values.image.repository) ($values.image.tag | default .root.Chart.AppVersion) | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      command: [cascade-{{ .role }}]
      args: [--topology, /etc/cascade/topology.yaml, --log-format, json, --log-level, {{ $values.logLevel }}]
      env:
        - name: NODE_NAME
          valueFrom: { fieldRef: { fieldPath: metadata.name } }
      ports: {{- include "cascade.ports" . | nindent 8 }}
      startupProbe:
        httpGet: { path: /healthz, port: internal }
        periodSeconds: 1
        failureThreshold: 60
      livenessProbe:
        httpGet: { path: /healthz, port: internal }
        periodSeconds: 10
        timeoutSeconds: 5
      readinessProbe:
        httpGet: { path: /readyz, port: internal }
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      lifecycle:
        # SIGTERM is the drain; before it whoever balances load takes the pod out.
        preStop: { sleep: { seconds: {{ $values.preStopSeconds }} } }
      resources: {{- toYaml $its.resources | nindent 8 }}
      securityContext: {{- include "cascade.locked" . | nindent 8 }}
      volumeMounts:
        - { name: configuration, mountPath: /etc/cascade, readOnly: true }
        {{- if $isEdge }}
        - { name: slices, mountPath: /slices, readOnly: true }
        {{- end }}
  volumes:
    # Topology, secrets and certificate in one folder: the topology's paths are relative to it.
    - name: configuration
      projected:
        defaultMode: 0440
        sources:
          - configMap: { name: {{ include "cascade.name" .root }}-topology }
          - secret:
              name: {{ $values.secretName }}
              items:
                - { key: node-secret, path: secrets/node-secret }
                {{- if and (not $isEdge) (eq $values.auth.publish "token") }}
                - { key: publish-token, path: secrets/publish-token }
                {{- end }}
                {{- if and (or $isEdge $values.origin.viewers) (eq $values.auth.watch "token") }}
                - { key: watch-token, path: secrets/watch-token }
                {{- end }}
          {{- with $values.tls.secretName }}
          - secret:
              name: {{ . }}
              items:
                - { key: tls.crt, path: tls/tls.crt }
                - { key: tls.key, path: tls/tls.key }
          {{- end }}
    {{- if $isEdge }}
    - name: slices
      emptyDir: { medium: Memory, sizeLimit: 32Mi }
    - name: script
      configMap: { name: {{ $sync }} }
    - name: account
      projected:
        defaultMode: 0440
        sources:
          - serviceAccountToken: { path: token, expirationSeconds: 3607 }
          - configMap: { name: kube-root-ca.crt, items: [{ key: ca.crt, path: ca.crt }] }
          - downwardAPI: { items: [{ path: namespace, fieldRef: { fieldPath: metadata.namespace } }] }
    {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "cascade.selector" . | nindent 10 }}
  {{- with $its.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $its.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $its.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "cascade.locked" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- /* One UDP port for each media thread. */ -}}
{{- define "cascade.ports" -}}
{{- $its := get .root.Values .role -}}
- name: public
  containerPort: 8080
  protocol: TCP
  {{- with int $its.hostPort }}
  hostPort: {{ . }}
  {{- end }}
- name: internal
  containerPort: 9080
  protocol: TCP
{{- range $i := until (int $its.workers) }}
{{- $port := add (int $its.mediaPort) $i }}
- name: media-{{ $i }}
  containerPort: {{ $port }}
  protocol: UDP
  {{- if eq $.root.Values.media.expose "hostPort" }}
  hostPort: {{ $port }}
  {{- end }}
{{- end }}
{{- end -}}
