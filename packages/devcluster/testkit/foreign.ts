const system = '(default|kube-system|kube-public|kube-node-lease)';

/** Kubernetes itself makes these at any time. */
const ofKubernetes: readonly RegExp[] = [
  /^\/registry\/(events|masterleases|ranges)\//,
  /^\/registry\/leases\/kube-system\/apiserver-/,
  // Each controller has one when it has asked for a token.
  /^\/registry\/serviceaccounts\/kube-system\//,
  new RegExp(`^/registry/serviceaccounts/${system}/default$`),
  new RegExp(`^/registry/configmaps/${system}/kube-root-ca\\.crt$`),
  /^\/registry\/(services\/endpoints|endpointslices)\/default\/kubernetes$/,
  /^\/registry\/configmaps\/kube-system\/(extension-apiserver-authentication|kube-apiserver-legacy-service-account-token-tracking)$/,
];

/** Whether etcd's key of an object, not there at the start, says that somebody has made it. */
export function isForeign(key: string): boolean {
  return !ofKubernetes.some((pattern) => pattern.test(key));
}

/** Whether it decides on what others ask of the API server. */
export function isPolicy(key: string): boolean {
  return /^\/registry\/(mutating|validating)(webhookconfigurations|admissionpolic)/.test(key);
}
