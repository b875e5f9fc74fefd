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

/** Labels by which the objects of an installation are found, whoever manages them: Helm writes its own name there. */
export const selectorOf = (installation: string): Record<string, string> => ({
  ...productSelector,
  'app.kubernetes.io/instance': installation,
});

const productSelector = { 'app.kubernetes.io/name': 'spillway' } as const;

/** As lists of the API server take it. */
export const productSelectorText: string = selectorText(productSelector);
export const selectorTextOf = (installation: string): string => selectorText(selectorOf(installation));

function selectorText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

type Labels = Readonly<Record<string, string>> | undefined;

/** Is it an object of Spillway, of whichever installation? */
export const isOfProduct = (labels: Labels): boolean => hasAll(labels, productSelector);
export const isOfInstallation = (labels: Labels, installation: string): boolean =>
  hasAll(labels, selectorOf(installation));

const hasAll = (labels: Labels, wanted: Readonly<Record<string, string>>): boolean =>
  Object.entries(wanted).every(([key, value]) => labels?.[key] === value);
