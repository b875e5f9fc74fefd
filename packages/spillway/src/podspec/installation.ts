/** What marks an object in the cluster as part of an installation of Spillway. */
export const labelsOf = (installation: string): Record<string, string> => ({
  'app.kubernetes.io/name': 'spillway',
  'app.kubernetes.io/instance': installation,
  'app.kubernetes.io/managed-by': 'spillway',
});
