/** What marks an object in the cluster as Spillway's, of whichever installation. */
export const productLabels = {
  'app.kubernetes.io/name': 'spillway',
  'app.kubernetes.io/managed-by': 'spillway',
} as const;

/** What marks an object in the cluster as part of an installation of Spillway. */
export const labelsOf = (installation: string): Record<string, string> => ({
  ...productLabels,
  'app.kubernetes.io/instance': installation,
});
