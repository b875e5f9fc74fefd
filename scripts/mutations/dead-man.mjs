// What would end pods that should run, or leave those that should not.

const product = 'packages/spillway/src';
const decision = [`${product}/removal/silence.test.ts`];
const look = [`${product}/removal/dead-man.test.ts`];
const heartbeat = [`${product}/pool/heartbeat.test.ts`];

/** @type {readonly import('./mutations.mjs').Mutation[]} */
export const deadMan = [
  {
    name: 'dead man: pods are ended before the time that is set',
    file: `${product}/removal/silence.ts`,
    search: 'silentMs >= heartbeat.afterMs',
    replace: 'silentMs >= heartbeat.afterMs / 2',
    tests: decision,
  },
  {
    name: 'dead man: pods without a heartbeat are ended',
    file: `${product}/removal/silence.ts`,
    search: "if (heartbeat === undefined) return { kind: 'no-heartbeat' };",
    replace: "if (heartbeat === undefined) return { kind: 'overdue', silentMs: 0, sinceMs: 0 };",
    tests: decision,
  },
  {
    name: 'dead man: an instance that was created is no sign of life',
    file: `${product}/removal/silence.ts`,
    search: 'Math.max(latest, ms)',
    replace: 'Math.max(latest, 0 * ms)',
    tests: decision,
  },
  {
    name: 'dead man: a heartbeat that comes while it is watched is too late',
    file: `${product}/removal/silence.ts`,
    search: 'heartbeat?.beat === found.beat',
    replace: 'heartbeat !== undefined',
    tests: look,
  },
  {
    name: 'dead man: who comes back in the middle loses the rest',
    file: `${product}/removal/dead-man.ts`,
    search: 'if (!isSameSilence(heartbeat, reading)) return',
    replace: 'if (reading.nowMs < 0) return',
    tests: look,
  },
  {
    name: 'dead man: a process without a cluster gives signs of life',
    file: `${product}/pool/heartbeat.ts`,
    search: 'now() - this.#clusterAnsweredMs > clusterPatienceMs',
    replace: 'now() - this.#clusterAnsweredMs > Number.POSITIVE_INFINITY',
    tests: heartbeat,
  },
  {
    name: 'dead man: a late heartbeat is told to nobody',
    file: `${product}/pool/heartbeat.ts`,
    search: 'now() - lastMs >= afterMs / 2',
    replace: 'now() - lastMs >= afterMs * 2',
    tests: heartbeat,
  },
];
