import { configFile } from '../installation/installed-config.ts';

/** Before Helm removes the objects: what Helm does not know of goes, too. */
export const uninstallTemplate: string = `{{- /* "helm uninstall" runs this first: see docs/uninstall.md. */}}
{{- $s := include "spillway.facts" . | fromJson }}
{{- if .Values.uninstall.enabled }}
{{- $name := printf "%s-uninstall" $s.name }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ $s.namespace }}
  labels: {app.kubernetes.io/name: spillway-uninstall}
  annotations:
    helm.sh/hook: pre-delete
    helm.sh/hook-weight: "0"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $name }}
  labels: {app.kubernetes.io/name: spillway-uninstall}
  annotations:
    helm.sh/hook: pre-delete
    helm.sh/hook-weight: "1"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
  - {kind: ServiceAccount, name: {{ $name }}, namespace: {{ $s.namespace }}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $name }}
  namespace: {{ $s.namespace }}
  labels: {app.kubernetes.io/name: spillway-uninstall}
  annotations:
    helm.sh/hook: pre-delete
    helm.sh/hook-weight: "2"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 2
  template:
    metadata:
      labels: {app.kubernetes.io/name: spillway-uninstall}
    spec:
      serviceAccountName: {{ $name }}
      restartPolicy: Never
      priorityClassName: {{ $s.priorityClassName }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        fsGroup: 65532
        seccompProfile: {type: RuntimeDefault}
      {{- if $s.has.imagePullSecrets }}
      imagePullSecrets:
        {{- range $s.imagePullSecrets }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      {{- if $s.has.nodeSelector }}
      nodeSelector: {{- toYaml $s.nodeSelector | nindent 8 }}
      {{- end }}
      {{- if $s.has.tolerations }}
      tolerations: {{- toYaml $s.tolerations | nindent 8 }}
      {{- end }}
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
              - matchExpressions:
                  - {key: type, operator: NotIn, values: [virtual-kubelet]}
      containers:
        - name: uninstall
          image: {{ $s.image }}
          args:
            - uninstall
            - --config=${configFile}
            - --namespace={{ $s.namespace }}
            - --timeout={{ .Values.uninstall.timeoutSeconds }}
            - --yes
            {{- if .Values.uninstall.keepCrds }}
            - --keep-crds
            {{- end }}
          resources: {{- toYaml $s.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: config, mountPath: ${configFile}, subPath: config.yaml, readOnly: true}
            - {name: state, mountPath: /var/lib/spillway}
            - {name: tmp, mountPath: /tmp}
            {{- range $index, $mount := $s.secrets }}
            - {name: secret-{{ $index }}, mountPath: {{ $mount.folder }}, readOnly: true}
            {{- end }}
      volumes:
        - {name: config, configMap: {name: {{ $s.name }}-config}}
        - {name: state, emptyDir: {}}
        - {name: tmp, emptyDir: {}}
        {{- range $index, $mount := $s.secrets }}
        - {name: secret-{{ $index }}, secret: {secretName: {{ $mount.name }}, defaultMode: 288}}
        {{- end }}
{{- end }}
`;
