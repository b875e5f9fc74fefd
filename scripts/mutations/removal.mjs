// Removal: nothing of others, nobody's data, and nothing while somebody serves.

const product = 'packages/spillway/src';
const judge = `${product}/backends/kubernetes/dismantle/judge.ts`;
const judged = [`${product}/backends/kubernetes/dismantle/judge.test.ts`];
const serving = `${product}/removal/serving.ts`;
const served = [`${product}/removal/serving.test.ts`];
const plan = `${product}/removal/plan.ts`;
const planned = [`${product}/removal/plan.test.ts`];
const pool = `${product}/removal/clear-pool.ts`;
const uninstall = `${product}/removal/uninstall.ts`;
const uninstalled = [`${product}/removal/uninstall.test.ts`];
const uninstalledInCluster = [`${product}/removal/uninstall-in-cluster.test.ts`];
const traces = `${product}/backends/kubernetes/survey/traces.ts`;
const traced = [`${product}/backends/kubernetes/survey/traces.test.ts`];

/** @type {readonly import('./mutations.mjs').Mutation[]} */
export const removal = [
  {
    name: 'a namespace goes with the objects of others in it',
    file: judge,
    search: 'if (strangers.length > 0) {',
    replace: 'if (strangers.length > 1000) {',
    tests: judged,
  },
  {
    name: 'a namespace goes although nobody could look into it',
    file: judge,
    search: 'if (unseen.length > 0) {',
    replace: 'if (unseen.length > 1000) {',
    tests: judged,
  },
  {
    name: 'a namespace goes that Spillway did not create',
    file: judge,
    search: 'if (!isMade) {',
    replace: 'if (!isMade && unseen.length > 1000) {',
    tests: judged,
  },
  {
    name: 'a namespace goes while another virtual node uses it',
    file: judge,
    search: 'if (neighbours.length > 0) {',
    replace: 'if (neighbours.length > 1000) {',
    tests: judged,
  },
  {
    name: 'a namespace goes before the claims in it are unbound',
    file: judge,
    search: "if (ending.length > 0) return { ending, others, next: 'nothing', prepared };",
    replace: '',
    tests: judged,
  },
  {
    name: 'a removal goes on although somebody renews the lease',
    file: serving,
    search: "return { kind: 'serving' };",
    replace: "return { kind: 'free' };",
    tests: served,
  },
  {
    name: 'our clock alone says that nobody serves',
    file: serving,
    search: 'const needed = isOld ? Math.min(durationMs, oldEnoughMs) : durationMs;',
    replace: 'const needed = isOld ? 0 : durationMs;',
    tests: served,
  },
  {
    name: 'the definition of ScheduleProfiles goes while another installation uses it',
    file: plan,
    search: 'return neighbours.length === 0 ? undefined : usedBy(neighbours);',
    replace: 'return undefined;',
    tests: planned,
  },
  {
    name: 'a backend that does not answer counts as clean',
    file: plan,
    search: "stays: [{ pool, kind: 'Backend', name: pool, why: `cannot be looked at: ${why}`, remedy }],",
    replace: 'stays: [],',
    tests: planned,
  },
  {
    name: 'a removal begins while somebody besides the Deployment serves',
    file: uninstall,
    search: 'found.length > 0 && (await isHeldByPod(client, config, lease, signal));',
    replace: 'found.length > 0;',
    tests: uninstalledInCluster,
  },
  {
    name: 'a Deployment that comes back in the middle of a removal serves',
    file: uninstall,
    search: 'await holdLeases(client, config, view.leases, { isInstalled, timeoutMs, done }, signal);',
    replace: '',
    tests: uninstalledInCluster,
  },
  {
    name: 'the namespace of the installation goes with what others have in it',
    file: `${product}/removal/clear-cluster.ts`,
    search: 'if (inside.length === 0) removed.push(object);',
    replace: 'if (inside.length < 9) removed.push(object);',
    tests: uninstalledInCluster,
  },
  {
    name: 'what a backend failed to tell at the last look is reported as left',
    file: uninstall,
    search: 'if (!isUnseen && rest.every',
    replace: 'if (rest.every',
    tests: uninstalled,
  },
  {
    name: 'nobody sees instances end where the backend could not be prepared at first',
    file: pool,
    search: "await persist('observe', prepare, { tell: () => {}, clock }, signal);",
    replace: 'await prepare();',
    tests: uninstalled,
  },
  {
    name: 'what has no marks is taken for what a cluster has left',
    file: traces,
    search: "else if (addOn !== undefined) of(named ?? addOn, 'add-on').pods.push(pod);",
    replace: "else of(named ?? addOn ?? 'unknown', 'add-on').pods.push(pod);",
    tests: traced,
  },
];
