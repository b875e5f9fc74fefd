// Hibernation: nothing is taken without a record, and nothing is given back that somebody has changed.

const product = 'packages/spillway/src';
const plan = `${product}/hibernation/plan.ts`;
const planned = [`${product}/hibernation/plan.test.ts`];
const choose = `${product}/hibernation/choose.ts`;
const chosen = [`${product}/hibernation/choose.test.ts`];

/** @type {readonly import('./mutations.mjs').Mutation[]} */
export const hibernation = [
  {
    name: 'hibernation: replicas are scaled down without a record',
    file: plan,
    search: 'if (replicas > 0) return change({ replicas: 0 }, { ...held, replicas });',
    replace: 'if (replicas > 0) return change({ replicas: 0 }, held);',
    tests: planned,
  },
  {
    name: 'hibernation: replicas that somebody has changed are overwritten',
    file: plan,
    search: 'if (before !== undefined && before > 0 && replicas === 0) fields.replicas = before;',
    replace: 'if (before !== undefined && before > 0) fields.replicas = before;',
    tests: planned,
  },
  {
    name: 'hibernation: replicas are given back while pods still burst',
    file: plan,
    search: "return hasPods || (replicas === 0 && present > 0) ? { kind: 'wait' } : givenBack(workload);",
    replace: 'return givenBack(workload);',
    tests: planned,
  },
  {
    name: 'hibernation: a StatefulSet whose pods are not ready never gets its template back',
    file: plan,
    search: "if (record !== undefined && kind === 'StatefulSet' && ready < present) {",
    replace: "if (record !== undefined && kind === 'StatefulSet' && ready < present - 1000) {",
    tests: planned,
  },
  {
    name: 'hibernation: pods of a Job are deleted, and count as failed',
    file: plan,
    search: "if (kind === 'Job') {",
    replace: "if (kind === 'CronJob') {",
    tests: planned,
  },
  {
    name: 'hibernation: a patch overwrites what somebody else has written at the same time',
    file: plan,
    search: 'resourceVersion: version,',
    replace: '',
    tests: planned,
  },
  {
    name: 'hibernation: Spillway itself is scaled down',
    file: `${product}/hibernation/workload.ts`,
    search: 'return !isOfProduct(object.metadata?.labels) && !isOfDeployment(object);',
    replace: 'return !isOfDeployment(object);',
    tests: chosen,
  },
  {
    name: 'hibernation: pods of a Deployment are taken for pods of nobody',
    file: choose,
    search: 'return deploymentOf.get(uid) ?? uid;',
    replace: 'return uid;',
    tests: chosen,
  },
  {
    name: 'hibernation: pods that nobody gives back end unasked',
    file: choose,
    search: 'if (asked || (moves && owner !== undefined))',
    replace: 'if (asked || moves)',
    tests: chosen,
  },
];
