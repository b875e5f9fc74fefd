import type { Pod } from '@spillway/kube';
import { isMoreThanNothing } from '../../podspec/fit/amounts.ts';
import { checked, dropped, droppedUnless, passed, refused, type Rule, withRows } from '../../podspec/fit/fields.ts';
import type { Support } from '../../podspec/fit/support.ts';
import { isRecord } from '../../podspec/plain.ts';
import { type Refusal, refusal } from '../../podspec/review/refusal.ts';
import { podFields } from '../kubernetes/fields/pod-fields.ts';
import { annotationsOf } from './annotations.ts';
import type { CciDialect } from './dialects.ts';
import { claimObjection } from './storage/objection.ts';

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

/** How large the disk of each pod is: CCI 1.0 "Notes and Constraints", CCI 2.0 user guide cci_01_0006. */
const diskBytes: Readonly<Record<CciDialect['apiVersion'], bigint>> = { v1: 20n * 10n ** 9n, v2: 30n * 2n ** 30n };

const supportOf = (version: CciDialect['apiVersion']): Support => ({
  name: `cci-${version}`,
  fields: withRows(podFields, cciRows[version]),
  alsoRefused: partsOfEmptyDirs,
  claimObjection: (_, state) => claimObjection(version, state),
  annotations: annotationsOf(version),
  diskBytes: diskBytes[version],
  accessToken: false,
});

export const cciSupport: Readonly<Record<CciDialect['apiVersion'], Support>> = {
  v1: supportOf('v1'),
  v2: supportOf('v2'),
};

/** CCI gives each pod a disk of its own, of the same size for all. */
function ofResources(amounts: 'requests' | 'limits'): Record<string, Rule> {
  return {
    [`resources.${amounts}.ephemeral-storage`]: dropped,
    [`resources.${amounts}.*`]: droppedUnless('resource-unsupported', isMoreThanNothing),
  };
}

/** An emptyDir can only be mounted as a whole. */
function partsOfEmptyDirs({ spec }: Pod): Refusal[] {
  const emptyDirs = new Set((spec?.volumes ?? []).flatMap(({ name, emptyDir }) => (emptyDir ? [name] : [])));
  return (['initContainers', 'containers'] as const).flatMap((list) =>
    (spec?.[list] ?? []).flatMap(({ volumeMounts = [] }, index) =>
      volumeMounts.some(({ name, subPath, subPathExpr }) => emptyDirs.has(name) && (subPath || subPathExpr))
        ? [refusal('empty-dir-sub-path-unsupported', `spec.${list}[${index}].volumeMounts`)]
        : [],
    ),
  );
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
