import type { Pod } from '@spillway/kube';
import { type Refusal, refusal } from '../../podspec/review/refusal.ts';
import {
  checked,
  dropped,
  droppedUnless,
  type FieldTable,
  passed,
  refused,
  type Rule,
  withRows,
} from '../kubernetes/fields/fields.ts';
import { isRecord } from '../kubernetes/fields/plain.ts';
import { podFields } from '../kubernetes/fields/pod-fields.ts';
import type { CciDialect } from './dialects.ts';

// What CCI does with a pod's fields where it is not what a cluster with a kubelet does.

const arch = new Set(['kubernetes.io/arch', 'beta.kubernetes.io/arch']);
const offered = 'amd64';

const ofContainers: Readonly<Record<string, Rule>> = {
  resizePolicy: dropped,
  'restartPolicyRules.action': refused('sidecar-unsupported'),
  'restartPolicyRules.exitCodes.operator': refused('sidecar-unsupported'),
  'restartPolicyRules.exitCodes.values': refused('sidecar-unsupported'),
  ...ofResources('requests'),
  ...ofResources('limits'),
  'lifecycle.stopSignal': refused('lifecycle-unsupported'),
  'lifecycle.postStart.sleep': refused('lifecycle-unsupported'),
  'lifecycle.preStop.sleep': refused('lifecycle-unsupported'),
  'securityContext.privileged': refused('privileged-unsupported'),
  'securityContext.procMount': checked('proc-mount-unsupported', (mount) => mount !== 'Default'),
  'startupProbe.tcpSocket': refused('startup-probe-by-tcp-unsupported'),
};

const rows: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    ['containers', 'initContainers'].flatMap((list) =>
      Object.entries(ofContainers).map(([path, rule]) => [`${list}.${path}`, rule] as const),
    ),
  ),
  'containers.restartPolicy': refused('sidecar-unsupported'),
  'initContainers.restartPolicy': checked('sidecar-unsupported', (policy) => policy !== 'Always'),
  affinity: droppedUnless('architecture-unsupported', wantsOtherArchitecture),
  hostUsers: droppedUnless('user-namespace-unsupported', (value) => value === false),
  hostnameOverride: refused('field-not-offered'),
  nodeSelector: droppedUnless('architecture-unsupported', selectsOtherArchitecture),
  os: droppedUnless('os-unsupported', (os) => isRecord(os) && os['name'] !== 'linux'),
  resources: refused('pod-resources-unsupported'),
  'securityContext.supplementalGroupsPolicy': checked(
    'supplemental-groups-policy-unsupported',
    (policy) => policy !== 'Merge',
  ),
  'securityContext.seLinuxChangePolicy': dropped,
  'volumes.persistentVolumeClaim': refused('volume-claim-unsupported'),
};

export const cciRows: Readonly<Record<CciDialect['apiVersion'], Readonly<Record<string, Rule>>>> = {
  v1: rows,
  v2: {
    ...rows,
    'volumes.nfs.path': passed,
    'volumes.nfs.readOnly': passed,
    'volumes.nfs.server': passed,
  },
};

export const cciFields: Readonly<Record<CciDialect['apiVersion'], FieldTable>> = {
  v1: withRows(podFields, cciRows.v1),
  v2: withRows(podFields, cciRows.v2),
};

/** CCI gives each pod a disk of its own, of the same size for all. */
function ofResources(amounts: 'requests' | 'limits'): Record<string, Rule> {
  return {
    [`resources.${amounts}.cpu`]: passed,
    [`resources.${amounts}.memory`]: passed,
    [`resources.${amounts}.ephemeral-storage`]: dropped,
    [`resources.${amounts}.*`]: refused('resource-unsupported'),
  };
}

/** An emptyDir can only be mounted as a whole. */
export function partsOfEmptyDirs({ spec }: Pod): Refusal[] {
  const emptyDirs = new Set((spec?.volumes ?? []).flatMap(({ name, emptyDir }) => (emptyDir ? [name] : [])));
  const of = (list: 'containers' | 'initContainers'): Refusal[] =>
    (spec?.[list] ?? []).flatMap(({ volumeMounts = [] }, container) =>
      volumeMounts.flatMap(({ name, subPath, subPathExpr }, mount) =>
        emptyDirs.has(name) && (subPath || subPathExpr)
          ? [refusal('empty-dir-sub-path-unsupported', `spec.${list}[${container}].volumeMounts[${mount}].subPath`)]
          : [],
      ),
    );
  return [...of('initContainers'), ...of('containers')];
}

function selectsOtherArchitecture(selector: unknown): boolean {
  return isRecord(selector) && Object.entries(selector).some(([key, value]) => arch.has(key) && value !== offered);
}

/** Required, in each of the alternatives; what is only preferred does not matter. */
function wantsOtherArchitecture(affinity: unknown): boolean {
  const terms = listAt(affinity, 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms');
  return terms.length > 0 && terms.every((term) => listAt(term, 'matchExpressions').some(excludesOffered));
}

function excludesOffered(expression: unknown): boolean {
  if (!isRecord(expression) || !arch.has(String(expression['key']))) return false;
  const isNamed = listAt(expression, 'values').includes(offered);
  switch (expression['operator']) {
    case 'In':
      return !isNamed;
    case 'NotIn':
      return isNamed;
    default:
      return expression['operator'] === 'DoesNotExist';
  }
}

function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  let found = value;
  for (const name of path) found = isRecord(found) ? found[name] : undefined;
  return Array.isArray(found) ? found : [];
}
