import type { Container, Pod } from '@spillway/kube';
import { refusal } from '../../podspec/review/refusal.ts';
import type { RefusalCode } from '../../podspec/review/rules.ts';
import type { Review } from '../backend.ts';

export interface ReviewOptions {
  readonly allowPrivileged: boolean;
}

/** What of a pod this backend cannot do. A pod is refused rather than run otherwise than it was written. */
export function reviewPod(pod: Pod, options: ReviewOptions): Review {
  return {
    refusals: rules.flatMap(({ code, fields }) => fields(pod, options).map((field) => refusal(code, field))),
  };
}

interface Rule {
  readonly code: RefusalCode;
  /** The fields of the pod that break the rule. */
  readonly fields: (pod: Pod, options: ReviewOptions) => string[];
}

const resources = new Set(['cpu', 'memory', 'ephemeral-storage']);
const volumeKinds = new Set(['emptyDir', 'configMap', 'secret', 'downwardAPI', 'projected']);
const projections = new Set(['configMap', 'secret', 'downwardAPI', 'serviceAccountToken']);

/** As the kubelet: these cannot harm other pods. */
const safeSysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

const rules: readonly Rule[] = [
  {
    code: 'host-namespace-unsupported',
    fields: ({ spec }) => [
      ...present('spec.hostNetwork', spec?.hostNetwork),
      ...present('spec.hostPID', spec?.hostPID),
      ...present('spec.hostIPC', spec?.hostIPC),
    ],
  },
  {
    code: 'user-namespace-unsupported',
    fields: ({ spec }) => present('spec.hostUsers', spec?.hostUsers === false),
  },
  {
    code: 'os-unsupported',
    fields: ({ spec }) => present('spec.os.name', spec?.os !== undefined && spec.os.name !== 'linux'),
  },
  {
    code: 'runtime-class-unsupported',
    fields: ({ spec }) => present('spec.runtimeClassName', spec?.runtimeClassName),
  },
  {
    code: 'volume-unsupported',
    fields: ({ spec }) =>
      (spec?.volumes ?? []).flatMap((volume, index) =>
        Object.keys(volume)
          .filter((kind) => kind !== 'name' && !volumeKinds.has(kind))
          .map((kind) => `spec.volumes[${index}].${kind}`),
      ),
  },
  {
    code: 'projection-unsupported',
    fields: ({ spec }) =>
      (spec?.volumes ?? []).flatMap(({ projected }, index) =>
        (projected?.sources ?? []).flatMap((source, at) =>
          Object.keys(source)
            .filter((kind) => !projections.has(kind))
            .map((kind) => `spec.volumes[${index}].projected.sources[${at}].${kind}`),
        ),
      ),
  },
  {
    code: 'empty-dir-medium-unsupported',
    fields: ({ spec }) =>
      (spec?.volumes ?? []).flatMap(({ emptyDir }, index) =>
        present(`spec.volumes[${index}].emptyDir.medium`, emptyDir?.medium && emptyDir.medium !== 'Memory'),
      ),
  },
  {
    code: 'sidecar-unsupported',
    fields: inContainers(({ restartPolicy, restartPolicyRules }) => [
      ...present('restartPolicy', restartPolicy),
      ...present('restartPolicyRules', restartPolicyRules?.length),
    ]),
  },
  {
    code: 'probes-unsupported',
    fields: inContainers(({ livenessProbe, readinessProbe, startupProbe }) => [
      ...present('livenessProbe', livenessProbe),
      ...present('readinessProbe', readinessProbe),
      ...present('startupProbe', startupProbe),
    ]),
  },
  {
    code: 'lifecycle-unsupported',
    fields: inContainers(({ lifecycle }) => [
      ...present('lifecycle.postStart', lifecycle?.postStart),
      ...present('lifecycle.preStop', lifecycle?.preStop),
      ...present('lifecycle.stopSignal', lifecycle?.stopSignal),
    ]),
  },
  {
    code: 'resource-unsupported',
    fields: ({ spec }) => [
      ...inContainers((container) => resourcesOf(container))(
        { spec: spec ?? { containers: [] } },
        { allowPrivileged: false },
      ),
      ...present('spec.resourceClaims', spec?.resourceClaims?.length),
    ],
  },
  {
    code: 'privileged-refused',
    fields: (pod, options) =>
      options.allowPrivileged
        ? []
        : inContainers(({ securityContext }) => present('securityContext.privileged', securityContext?.privileged))(
            pod,
            options,
          ),
  },
  {
    code: 'security-profile-unsupported',
    fields: (pod, options) => [
      ...present('spec.securityContext.seccompProfile', isLocalhost(pod.spec?.securityContext?.seccompProfile)),
      ...present('spec.securityContext.appArmorProfile', isLocalhost(pod.spec?.securityContext?.appArmorProfile)),
      ...inContainers(({ securityContext }) => [
        ...present('securityContext.seccompProfile', isLocalhost(securityContext?.seccompProfile)),
        ...present('securityContext.appArmorProfile', isLocalhost(securityContext?.appArmorProfile)),
      ])(pod, options),
    ],
  },
  {
    code: 'proc-mount-unsupported',
    fields: inContainers(({ securityContext }) =>
      present('securityContext.procMount', securityContext?.procMount && securityContext.procMount !== 'Default'),
    ),
  },
  {
    code: 'sysctl-refused',
    fields: ({ spec }) =>
      (spec?.securityContext?.sysctls ?? []).flatMap(({ name }, index) =>
        present(`spec.securityContext.sysctls[${index}]`, !safeSysctls.has(name)),
      ),
  },
  {
    code: 'supplemental-groups-policy-unsupported',
    fields: ({ spec }) => {
      const policy = spec?.securityContext?.supplementalGroupsPolicy;
      return present('spec.securityContext.supplementalGroupsPolicy', policy && policy !== 'Merge');
    },
  },
  {
    code: 'mount-option-unsupported',
    fields: inContainers(({ volumeMounts = [], volumeDevices = [] }) => [
      ...volumeMounts.flatMap(({ mountPropagation, recursiveReadOnly }, index) => [
        ...present(`volumeMounts[${index}].mountPropagation`, mountPropagation && mountPropagation !== 'None'),
        ...present(`volumeMounts[${index}].recursiveReadOnly`, recursiveReadOnly === 'Enabled'),
      ]),
      ...present('volumeDevices', volumeDevices.length),
    ]),
  },
  {
    code: 'env-source-unsupported',
    fields: inContainers(({ env = [] }) =>
      env.flatMap(({ valueFrom }, index) => present(`env[${index}].valueFrom.fileKeyRef`, valueFrom?.fileKeyRef)),
    ),
  },
];

function present(field: string, value: unknown): string[] {
  return value ? [field] : [];
}

/** Applies a rule to each container; what it names is completed to the path in the pod. */
function inContainers(fields: (container: Container) => string[]): (pod: Pod, options: ReviewOptions) => string[] {
  return ({ spec }) =>
    (['initContainers', 'containers'] as const).flatMap((list) =>
      (spec?.[list] ?? []).flatMap((container, index) =>
        fields(container).map((field) => `spec.${list}[${index}].${field}`),
      ),
    );
}

function resourcesOf({ resources: wanted }: Container): string[] {
  const names = new Set([...Object.keys(wanted?.limits ?? {}), ...Object.keys(wanted?.requests ?? {})]);
  const unknown = [...names].filter((name) => !resources.has(name)).map((name) => `resources.limits.${name}`);
  return [...unknown, ...present('resources.claims', wanted?.claims?.length)];
}

function isLocalhost(profile: { readonly type: string } | undefined): boolean {
  return profile?.type === 'Localhost';
}
