import type { Container, Pod } from '@spillway/kube';

function effectiveRunAsUser(pod: Pod, container: Container): number | undefined {
  return container.securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser;
}

/** The user that all containers run as, when every one says so. */
export function sharedRunAsUser(pod: Pod): number | undefined {
  const { initContainers = [], containers = [] } = pod.spec ?? {};
  const users = new Set([...initContainers, ...containers].map((container) => effectiveRunAsUser(pod, container)));
  const [user] = users;
  return users.size === 1 ? user : undefined;
}
