// What is broken on purpose about the vendor's add-on.

const product = 'packages/spillway/src';
const addOn = `${product}/cce-addon`;

/** @type {readonly import('./mutations.mjs').Mutation[]} */
export const cceAddOn = [
  {
    name: 'an installation takes over the definition of the add-on',
    file: `${product}/install/preflight.ts`,
    search: 'nameOf(definition) !== nameOf(scheduleProfileCrd)',
    replace: 'definition !== undefined',
    tests: [`${product}/install/preflight.test.ts`],
  },
  {
    name: 'a virtual node of Spillway is taken for the add-on’s',
    file: `${addOn}/marks.ts`,
    search: "key.startsWith('spillway.dev/')",
    replace: 'key === undefined',
    tests: [`${addOn}/marks.test.ts`],
  },
  {
    name: 'the add-on’s node is one that Spillway has to serve',
    file: `${product}/diagnosis/why.ts`,
    search: '!isAddOnNode(node) && ',
    replace: '',
    tests: [`${product}/diagnosis/doctor/doctor.test.ts`],
  },
  {
    name: 'the next pod moves before the new one is ready',
    file: `${addOn}/moves.ts`,
    search: 'const missing = Math.max(0, wanted - ready);',
    replace: 'const missing = 0 * (wanted - ready);',
    tests: [`${addOn}/moves.test.ts`],
  },
  {
    name: 'pods of a Job lose their work',
    file: `${addOn}/moves.ts`,
    search: "if (kind === 'Job')",
    replace: "if (kind === 'CronJob')",
    tests: [`${addOn}/moves.test.ts`],
  },
  {
    name: 'pods that no pool runs are evicted',
    file: `${addOn}/moves.ts`,
    search: 'if (first !== undefined) {',
    replace: 'if (first !== undefined && kind === undefined) {',
    tests: [`${addOn}/moves.test.ts`],
  },
  {
    name: 'a label that only the add-on sees is lost',
    file: `${addOn}/moves.ts`,
    search: "if (own.kind === 'valid' && inTemplate.kind === 'absent') {",
    replace: "if (own.kind === 'invalid' && inTemplate.kind === 'absent') {",
    tests: [`${addOn}/moves.test.ts`],
  },
  {
    name: 'the namespace of another cluster is taken for this one’s',
    file: `${addOn}/places.ts`,
    search: 'pods.every((pod) => there.has(keyOf(pod)))',
    replace: 'pods.some((pod) => there.has(keyOf(pod)))',
    tests: [`${addOn}/places.test.ts`],
  },
];
