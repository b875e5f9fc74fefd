// Claims: what is bound elsewhere, who may have it, and that nobody's data is deleted.

const product = 'packages/spillway/src';
const cci = `${product}/backends/cci/storage`;
const elsewhere = `${product}/backends/kubernetes`;
const stores = [`${cci}/stores.test.ts`];
const keeper = [`${elsewhere}/copies/copy-keeper.test.ts`];
const claims = [`${product}/podspec/claims.test.ts`];
const planned = [`${product}/diagnosis/plan/planned-claims.test.ts`];
const mapped = [`${elsewhere}/mapped-claims.test.ts`];
const translation = [`${elsewhere}/fields/translate.test.ts`];

/** @type {readonly import('./mutations.mjs').Mutation[]} */
export const storage = [
  // Data.
  {
    name: 'a claim in CCI 1.0 is deleted with its file system',
    file: `${cci}/stores.ts`,
    search: 'const query = keepingStorage;',
    replace: 'const query = {};',
    tests: stores,
  },
  {
    name: 'only one of the two spellings says that the file system stays',
    file: `${cci}/stores.ts`,
    search: "deleteVolume: 'false', delete_volume: 'false',",
    replace: "deleteVolume: 'false',",
    tests: stores,
  },
  {
    name: 'a claim that somebody else has made in CCI is unbound',
    file: `${cci}/stores.ts`,
    search: 'if (!isCopyName(owner, nameOf(found))) return;',
    replace: '',
    tests: stores,
  },
  {
    name: 'claims that others have made in CCI are taken for ours',
    file: `${cci}/stores.ts`,
    search: 'yield* items.filter((claim) => isCopyName(owner, nameOf(claim)));',
    replace: 'yield* items;',
    tests: stores,
  },
  {
    name: 'a volume in CCI 2.0 goes with its file system',
    file: `${cci}/copies.ts`,
    search: "persistentVolumeReclaimPolicy: 'Retain',",
    replace: "persistentVolumeReclaimPolicy: 'Delete',",
    tests: [...stores, `${cci}/copies.test.ts`],
  },
  {
    name: 'what pods use of claims is not seen, so that it is unbound under them',
    file: `${elsewhere}/copies/copies.ts`,
    search: 'claims.add(persistentVolumeClaim?.claimName);',
    replace: '',
    tests: [...keeper, `${elsewhere}/copies/copies.test.ts`],
  },

  // Which file system, and what of it.
  {
    name: 'each volume of an SFS Turbo is imported by itself',
    file: `${cci}/file-system.ts`,
    search: 'id: volumeAttributes[attribute.id] ?? volumeHandle,',
    replace: 'id: volumeHandle,',
    tests: [`${cci}/file-system.test.ts`],
  },
  {
    name: 'a volume that is a folder of an SFS Turbo is mounted as all of it',
    file: `${elsewhere}/fields/claim-mounts.ts`,
    search: "if (folder === '') return mount;",
    replace: 'if (true) return mount;',
    tests: translation,
  },
  {
    name: 'a volume of a claim that is gone is bound to another in CCI 2.0',
    file: `${cci}/stores.ts`,
    search: "if (!isEnding && status?.phase !== 'Released') return;",
    replace: 'if (!isEnding) return;',
    tests: stores,
  },

  {
    name: 'a pod is sent to CCI before its claim is bound there',
    file: `${cci}/stores.ts`,
    search: "isUsable: ({ status }) => status?.phase === 'Bound',",
    replace: '',
    tests: stores,
  },
  {
    name: 'nobody waits for a claim that was made elsewhere to be bound',
    file: `${elsewhere}/copies/copy-keeper.ts`,
    search: 'return await this.#untilUsable(store, name, call);',
    replace: 'return;',
    tests: keeper,
  },

  // Which claims are bound.
  {
    name: 'a volume that is bound to another claim is mounted',
    file: `${product}/podspec/claims.ts`,
    search: 'if (claimRef?.uid !== undefined && claimRef.uid !== claim.metadata?.uid) {',
    replace: 'if (false) {',
    tests: claims,
  },
  {
    name: 'a claim that is not bound yet is mounted',
    file: `${product}/podspec/claims.ts`,
    search: "if (volumeName === '' || phase !== 'Bound') return",
    replace: "if (volumeName === '') return",
    tests: claims,
  },
  {
    name: 'a pod starts without a claim that is not bound',
    file: `${product}/podspec/resolve.ts`,
    search: 'const missing: MissingReference[] = [...missingForVolumes, ...unbound];',
    replace: 'const missing: MissingReference[] = [...missingForVolumes];',
    tests: [`${product}/podspec/resolve.test.ts`],
  },
  {
    name: 'plan knows nothing of the claims that a StatefulSet will make',
    file: `${product}/diagnosis/plan/plan.ts`,
    search: 'const claims = cluster?.claims && withPlanned(cluster.claims, facts.objects);',
    replace: 'const claims = cluster?.claims;',
    tests: planned,
  },
  {
    name: 'CCI 2.0 is said to mount SFS',
    file: `${cci}/objection.ts`,
    search: "v2: new Set(['sfs-turbo']),",
    replace: "v2: new Set(['sfs', 'sfs-turbo']),",
    tests: [`${cci}/objection.test.ts`],
  },
  {
    name: 'a claim of another namespace is mapped to the one of the same name',
    file: `${elsewhere}/mapped-claims.ts`,
    search: 'const key = `${namespace}/${name}`;', // oxlint-disable-line no-template-curly-in-string
    replace: 'const key = `shop/${name}`;', // oxlint-disable-line no-template-curly-in-string
    tests: mapped,
  },

  {
    name: 'a pod with a claim that is not mapped is sent to the other cluster',
    file: `${product}/podspec/fit/claims.ts`,
    search: "if (support.claims?.has(key) === false) return [refusal('claim-not-mapped', field, key)];",
    replace: '',
    tests: [`${product}/podspec/fit/fit.test.ts`],
  },
  {
    name: 'a pod whose claim the backend cannot mount is created',
    file: `${product}/pods/operations.ts`,
    search: 'if (refusals.length > 0) return { ok: false, problem: refusedProblem(refusals, ref) };',
    replace: '',
    tests: [`${product}/pods/operations.test.ts`],
  },
  {
    name: 'volumes that a node may not read are asked for',
    file: `${product}/pods/references/fetch.ts`,
    search: "status?.phase === 'Bound' ? (spec?.volumeName ?? []) : [],",
    replace: 'spec?.volumeName ?? [],',
    tests: [`${product}/pods/operations.test.ts`],
  },

  // Annotations.
  {
    name: 'annotations that CCI does not know go there',
    file: `${product}/podspec/travelling.ts`,
    search: 'if (known !== undefined) return known.has(key);',
    replace: '',
    tests: [`${product}/backends/cci/pod-dialect.test.ts`],
  },
];
