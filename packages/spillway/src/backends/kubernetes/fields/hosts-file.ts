import type { Container, ContainerStatus, PodSpec } from '@spillway/kube';
import { agentContainer } from '../../../podspec/agent-container.ts';
import type { Instance } from '../../backend.ts';

/** Runs before all containers of the pod, and is shown nowhere. */
const hostsContainer = 'spillway-hosts';

const hostsFile = '/etc/hosts';

/** What can write the file: an image with a shell, as a container. */
export type Writer = Pick<Container, 'image' | 'imagePullPolicy' | 'securityContext'> & { readonly shell: string };

/**
 * The image that the pool has for it, or else that of a container which says itself that it has a shell: it is pulled anyway, and
 * the container would not start without. Hooks say nothing: a pod runs well with one that cannot be run.
 */
export function writerFor({ containers, initContainers = [] }: PodSpec, hostsImage?: string): Writer | undefined {
  if (hostsImage !== undefined) return { shell: 'sh', image: hostsImage, securityContext: { runAsUser: 65_534 } };
  for (const container of [...initContainers, ...containers]) {
    const shell = shellOf(container);
    if (shell === undefined) continue;
    const { image, imagePullPolicy, securityContext } = container;
    return {
      shell,
      ...(image !== undefined && { image }),
      ...(imagePullPolicy !== undefined && { imagePullPolicy }),
      ...(securityContext && { securityContext }),
    };
  }
  return undefined;
}

function shellOf({ command, livenessProbe, readinessProbe, startupProbe }: Container): string | undefined {
  const probes = [livenessProbe, readinessProbe, startupProbe].map((probe) => probe?.exec?.command);
  const programs = [command, ...probes].flatMap((each) => each?.slice(0, 1) ?? []);
  // Elsewhere a volume of the pod may be mounted.
  return programs.find((program) => /^(\/(usr\/(local\/)?)?bin\/)?(ba|da|a)?sh$/.test(program));
}

/**
 * Gives all containers of the pod a hosts file with the pod's own names. Nothing knows its addresses before it has started, so a
 * container that runs first writes the file.
 */
export function withHosts(spec: PodSpec, names: readonly string[], { shell, ...image }: Writer): PodSpec {
  const mount = { name: hostsContainer, mountPath: hostsFile, subPath: 'hosts' };
  const [first] = spec.containers;
  const writer: Container = {
    name: hostsContainer,
    ...image,
    command: [shell, '-c', scriptFor(names)],
    env: [{ name: 'IPS', valueFrom: { fieldRef: { fieldPath: 'status.podIPs' } } }],
    // So that the pod's size and class stay what they are.
    ...(first?.resources && { resources: first.resources }),
    securityContext: {
      ...image.securityContext,
      privileged: false,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [{ name: hostsContainer, mountPath: '/spillway' }],
  };
  const mounted = (container: Container): Container => {
    const { volumeMounts = [] } = container;
    const isOwn = volumeMounts.some(({ mountPath }) => mountPath === hostsFile);
    return isOwn ? container : { ...container, volumeMounts: [...volumeMounts, mount] };
  };
  return {
    ...spec,
    containers: spec.containers.map(mounted),
    initContainers: [writer, ...(spec.initContainers ?? []).map(mounted)],
    volumes: [...(spec.volumes ?? []), { name: hostsContainer, emptyDir: {} }],
  };
}

/** The kubelet's file with other names in the lines of the pod's addresses. Every shell has what it takes built in. */
function scriptFor(names: readonly string[]): string {
  return [
    'while IFS= read -r line; do',
    '  ip="${line%%\t*}"',
    `  case ",$IPS," in *",$ip,"*) line="$ip\t${names.join('\t')}";; esac`,
    '  echo "$line"',
    `done < ${hostsFile} > /spillway/hosts`,
  ].join('\n');
}

/** All but those that nobody has written. */
export function isOfPod({ name }: { readonly name: string }): boolean {
  return name !== hostsContainer && name !== agentContainer;
}

type Statuses = Pick<Instance, 'initContainerStatuses' | 'containerStatuses'>;

/** As if nothing ran before the pod's own containers: what keeps others from their end or start is said of the first that waits for them. */
export function withoutWriter({ initContainerStatuses: all, containerStatuses }: Statuses): Statuses {
  const initContainerStatuses = all.filter(isOfPod);
  const { state, lastState, restartCount = 0 } = all.find((each) => !isOfPod(each) && isHeldUp(each)) ?? {};
  if (state === undefined) return { initContainerStatuses, containerStatuses };
  const heldUp = (each: ContainerStatus, index: number): ContainerStatus =>
    index === 0 ? { ...each, state, ...(lastState && { lastState }), restartCount } : each;
  return initContainerStatuses.length > 0
    ? { initContainerStatuses: initContainerStatuses.map(heldUp), containerStatuses }
    : { initContainerStatuses, containerStatuses: containerStatuses.map(heldUp) };
}

/** An agent that was started once goes on by itself, and holds up nobody. */
function isHeldUp({ state, started }: ContainerStatus): boolean {
  return started !== true && (state?.waiting !== undefined || Boolean(state?.terminated?.exitCode));
}
