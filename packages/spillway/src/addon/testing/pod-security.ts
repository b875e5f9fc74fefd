import type { Container, PodSpec } from '@spillway/kube';

/** What of a pod Pod Security "restricted" does not let in: https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export function restrictedViolations(spec: PodSpec): readonly string[] {
  const { securityContext = {}, volumes = [], hostNetwork, hostPID, hostIPC } = spec;
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const violations = [
    ...(hostNetwork || hostPID || hostIPC ? ['shares a namespace of the host'] : []),
    ...volumes.flatMap((volume) => volumeViolations(volume)),
    ...containers.flatMap((container) => containerViolations(container)),
  ];
  if (securityContext.runAsUser === 0) violations.push('runs as root');
  if (securityContext.runAsNonRoot !== true) violations.push('may run as root');
  if (securityContext.seccompProfile?.type !== 'RuntimeDefault') violations.push('has no seccomp profile');
  return violations;
}

const allowedVolumes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

const volumeViolations = ({ name, ...source }: NonNullable<PodSpec['volumes']>[number]): string[] =>
  Object.keys(source).flatMap((kind) => (allowedVolumes.includes(kind) ? [] : [`volume ${name} is a ${kind}`]));

function containerViolations({ name, securityContext = {}, ports = [] }: Container): string[] {
  const { allowPrivilegeEscalation, privileged, capabilities, runAsNonRoot, runAsUser } = securityContext;
  return [
    ...(privileged ? [`${name} is privileged`] : []),
    ...(allowPrivilegeEscalation === false ? [] : [`${name} may escalate`]),
    ...(capabilities?.drop?.includes('ALL') ? [] : [`${name} keeps capabilities`]),
    ...((capabilities?.add ?? []).every((each) => each === 'NET_BIND_SERVICE') ? [] : [`${name} adds capabilities`]),
    ...(runAsNonRoot === false || runAsUser === 0 ? [`${name} may run as root`] : []),
    ...ports.flatMap(({ hostPort }) => (hostPort === undefined ? [] : [`${name} has port ${hostPort} of the host`])),
  ];
}
