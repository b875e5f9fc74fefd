import type { Container, Pod, SeccompProfile } from '@spillway/kube';
import { effectiveRunAsUser } from '../../../podspec/users.ts';
import type { LinuxContainerSecurityContext } from '../generated/runtime/v1/LinuxContainerSecurityContext.ts';
import type { LinuxSandboxSecurityContext } from '../generated/runtime/v1/LinuxSandboxSecurityContext.ts';
import type { NamespaceOption } from '../generated/runtime/v1/NamespaceOption.ts';
import type { SecurityProfile } from '../generated/runtime/v1/SecurityProfile.ts';

const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export function sandboxSecurity(pod: Pod): LinuxSandboxSecurityContext {
  const { securityContext = {}, containers = [], initContainers = [] } = pod.spec ?? {};
  const { runAsUser, runAsGroup } = securityContext;
  return {
    namespaceOptions: namespaces(pod),
    privileged: [...initContainers, ...containers].some((each) => each.securityContext?.privileged === true),
    supplementalGroups: supplementalGroups(pod),
    seccomp: { profileType: 'RuntimeDefault' },
    ...(runAsUser !== undefined && { runAsUser: { value: runAsUser } }),
    ...(runAsUser !== undefined && runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
  };
}

/** The user of the image, as the runtime reports it. */
export interface ImageUser {
  readonly uid?: number;
  readonly username?: string;
}

export function containerSecurity(pod: Pod, container: Container, image: ImageUser): LinuxContainerSecurityContext {
  const own = container.securityContext ?? {};
  const shared = pod.spec?.securityContext ?? {};
  const user = effectiveRunAsUser(pod, container) ?? image.uid;
  const group = own.runAsGroup ?? shared.runAsGroup;
  const selinux = own.seLinuxOptions ?? shared.seLinuxOptions;
  return {
    namespaceOptions: namespaces(pod),
    privileged: own.privileged === true,
    capabilities: { addCapabilities: own.capabilities?.add ?? [], dropCapabilities: own.capabilities?.drop ?? [] },
    readonlyRootfs: own.readOnlyRootFilesystem === true,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    supplementalGroups: supplementalGroups(pod),
    seccomp: seccomp(own.seccompProfile ?? shared.seccompProfile),
    maskedPaths,
    readonlyPaths,
    ...(user !== undefined && { runAsUser: { value: user } }),
    ...(user === undefined && image.username && { runAsUsername: image.username }),
    ...(group !== undefined && { runAsGroup: { value: group } }),
    ...(selinux && { selinuxOptions: selinux }),
  };
}

/** Why `runAsNonRoot` forbids the container to start; undefined when it does not. */
export function nonRootViolation(pod: Pod, container: Container, image: ImageUser): string | undefined {
  const required = container.securityContext?.runAsNonRoot ?? pod.spec?.securityContext?.runAsNonRoot;
  if (!required) return undefined;
  const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
  const user = effectiveRunAsUser(pod, container);
  if (user !== undefined) return user === 0 ? `container's runAsUser breaks non-root policy ${where}` : undefined;
  if (image.uid !== undefined) {
    return image.uid === 0 ? `container has runAsNonRoot and image will run as root ${where}` : undefined;
  }
  if (!image.username) return `container has runAsNonRoot and image will run as root ${where}`;
  return `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`;
}

function namespaces({ spec }: Pod): NamespaceOption {
  return { network: 'POD', ipc: 'POD', pid: spec?.shareProcessNamespace ? 'POD' : 'CONTAINER' };
}

function supplementalGroups({ spec }: Pod): number[] {
  const { fsGroup, supplementalGroups: groups = [] } = spec?.securityContext ?? {};
  return fsGroup === undefined ? groups : [fsGroup, ...groups];
}

/** Without a profile a container is unconfined, as on a kubelet without `seccompDefault`. */
function seccomp(profile: SeccompProfile | undefined): SecurityProfile {
  return { profileType: profile?.type === 'RuntimeDefault' ? 'RuntimeDefault' : 'Unconfined' };
}
