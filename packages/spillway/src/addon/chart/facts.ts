import { profilesEntry, selectNamespaces } from '../../admission/configurations.ts';
import { scheduleProfileCrd } from '../../placement/rules/schedule-profile-crd.ts';
import { burstTaint, preferTaint } from '../../podspec/contract.ts';
import { productLabels } from '../../podspec/installation.ts';
import { installedConfig } from '../installation/installed-config.ts';
import { presets } from '../installation/resources.ts';

const quoted = (value: unknown): string => JSON.stringify(JSON.stringify(value));

/** Where a configuration of the pods has the namespace, in place of which a template has its own. */
const namespaceMark = 'zznamespace';

const defaults = JSON.stringify(installedConfig({}, namespaceMark));

/**
 * What the templates know of an installation. The same as `installedConfig`, `rightsOf` and `installationProblems` do for the command
 * line; a test renders the chart and compares.
 */
export const factsTemplate: string = `{{- /* Generated. What the other templates know of the installation. */}}
{{- define "spillway.facts" -}}
{{- $namespace := .Release.Namespace -}}
{{- $defaults := ${JSON.stringify(defaults).replaceAll(namespaceMark, '%[1]s')} -}}
{{- $config := mustMergeOverwrite (fromJson (printf $defaults $namespace)) (deepCopy .Values.config) -}}
{{- $name := $config.name | default "spillway" -}}
{{- include "spillway.problems" (dict "config" $config "namespace" $namespace "values" .Values) -}}
{{- $pools := list -}}
{{- $nodeNames := list -}}
{{- $taintKeys := list -}}
{{- $approval := false -}}
{{- range $config.pools -}}
{{- $pools = append $pools (dict "name" .name "nodeName" .nodeName "kubeletPort" (.kubeletPort | default 10250)) -}}
{{- $nodeNames = append $nodeNames .nodeName -}}
{{- $taints := hasKey . "taints" | ternary .taints (fromJsonArray ${quoted([burstTaint, preferTaint])}) -}}
{{- range $taints -}}{{- $taintKeys = append $taintKeys .key -}}{{- end -}}
{{- if dig "servingCertificate" "csr" "approve" false . -}}{{- $approval = true -}}{{- end -}}
{{- end -}}
{{- $api := "admissionregistration.k8s.io/v1" -}}
{{- $mutating := $.Capabilities.APIVersions.Has (printf "%s/MutatingAdmissionPolicy" $api) -}}
{{- $validating := $.Capabilities.APIVersions.Has (printf "%s/ValidatingAdmissionPolicy" $api) -}}
{{- if kindIs "bool" .Values.abilities.mutatingPolicies -}}{{- $mutating = .Values.abilities.mutatingPolicies -}}{{- end -}}
{{- if kindIs "bool" .Values.abilities.validatingPolicies -}}{{- $validating = .Values.abilities.validatingPolicies -}}{{- end -}}
{{- $carrier := $config.admission.carrier | default "auto" -}}
{{- $policies := eq $carrier "auto" | ternary $mutating (eq $carrier "policy") -}}
{{- /* What the running Spillway has written there stays. */}}
{{- $profileNamespaces := fromJson ${quoted(selectNamespaces([]))} -}}
{{- $live := lookup "admissionregistration.k8s.io/v1" "MutatingWebhookConfiguration" "" $name | default dict -}}
{{- range $live.webhooks | default list -}}
{{- if and (eq .name "${profilesEntry}") .namespaceSelector -}}{{- $profileNamespaces = .namespaceSelector -}}{{- end -}}
{{- end -}}
{{- /* That of somebody else, such as the vendor's add-on, is used as it is. */}}
{{- $definition := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "${scheduleProfileCrd.metadata?.name}" | default dict -}}
{{- $isForeign := and (not (empty $definition)) (ne (dig "metadata" "labels" "app.kubernetes.io/name" "" $definition) "${productLabels['app.kubernetes.io/name']}") -}}
{{- $preset := dict -}}
{{- range fromJsonArray ${quoted([...presets].toReversed())} -}}
{{- if le (int $.Values.pods) (int .pods) -}}{{- $preset = . -}}{{- end -}}
{{- end -}}
{{- $usual := dict "requests" (dict "cpu" $preset.cpu "memory" $preset.memory) "limits" (dict "memory" $preset.memoryLimit) -}}
{{- $resources := empty .Values.resources | ternary $usual .Values.resources -}}
{{- $image := printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- if .Values.image.digest -}}{{- $image = printf "%s@%s" .Values.image.repository .Values.image.digest -}}{{- end -}}
{{- dict
  "name" $name
  "namespace" $namespace
  "configText" (toYaml $config)
  "image" $image
  "imagePullSecrets" .Values.imagePullSecrets
  "replicas" (int .Values.replicas)
  "resources" $resources
  "priorityClassName" .Values.priorityClassName
  "nodeSelector" .Values.nodeSelector
  "tolerations" .Values.tolerations
  "secrets" .Values.secrets
  "stateClaim" .Values.stateClaim
  "linkService" .Values.linkService
  "profileNamespaces" $profileNamespaces
  "leaseName" ($config.leaderElection.leaseName | default $name)
  "webhookService" ($config.admission.serviceName | default (printf "%s-admission" $name))
  "webhookUrl" ($config.admission.url | default "")
  "webhookPort" ($config.admission.port | default 9443)
  "healthPort" $config.observability.healthPort
  "linkPort" ($config.link.port | default 10270)
  "uninstallSeconds" .Values.uninstall.timeoutSeconds
  "pools" $pools
  "nodeNames" $nodeNames
  "taintKeys" (uniq $taintKeys)
  "has" (dict
    "placement" (dig "placement" "enabled" true $config)
    "approval" $approval
    "webhooks" $config.admission.enabled
    "policies" $policies
    "webhookRules" (ne $carrier "policy")
    "podWritePolicy" $validating
    "link" (not (empty $config.link.image))
    "webhookService" (empty $config.admission.url)
    "replicas" (gt (int .Values.replicas) 1)
    "imagePullSecrets" (not (empty .Values.imagePullSecrets))
    "nodeSelector" (not (empty .Values.nodeSelector))
    "tolerations" (not (empty .Values.tolerations))
    "secrets" (not (empty .Values.secrets))
    "stateClaim" (not (empty .Values.stateClaim))
    "crd" (and .Values.crd.install (not $isForeign))
    "uninstall" .Values.uninstall.enabled
    "removesCrds" (not .Values.uninstall.keepCrds)
    "linkAnnotations" (not (empty .Values.linkService.annotations))
  )
| toJson -}}
{{- end -}}

{{- /* What does not work in pods, before anything is rendered. */}}
{{- define "spillway.problems" -}}
{{- $config := .config -}}
{{- $namespace := .namespace -}}
{{- if and $config.kubernetes (or $config.kubernetes.kubeconfig $config.kubernetes.context) -}}
{{- fail "config.kubernetes: in the cluster, Spillway is the ServiceAccount of its pods: remove this" -}}
{{- end -}}
{{- if not $config.leaderElection.enabled -}}
{{- fail "config.leaderElection.enabled: the pods of an upgrade hand over by it: remove it" -}}
{{- end -}}
{{- range list "leaderElection" "admission" "link" -}}
{{- if ne (get (get $config .) "namespace") $namespace -}}
{{- fail (printf "config.%s.namespace: must be the namespace of the release, %s: remove it" . $namespace) -}}
{{- end -}}
{{- end -}}
{{- range $index, $pool := $config.pools -}}
{{- if $pool.address -}}
{{- fail (printf "config.pools[%d].address: the address is that of the pod that serves the pool, which changes: remove this" $index) -}}
{{- end -}}
{{- if and (eq $pool.backend.type "cci") (not (dig "credentials" "file" "" $pool.backend)) -}}
{{- fail (printf "config.pools[%d].backend.credentials.file: is required in a cluster: name a file in a folder of \\"secrets\\"" $index) -}}
{{- end -}}
{{- end -}}
{{- end -}}
`;
