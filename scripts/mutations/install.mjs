// Installations: what they consist of, when they are ready, and the way back.

const addon = 'packages/spillway/src/addon/installation';
const installing = 'packages/spillway/src/install';
const rollout = [`${installing}/rollout.test.ts`];
const preflight = [`${installing}/preflight.test.ts`];
const installation = [`${addon}/installation.test.ts`];

/** @type {readonly import('./mutations.mjs').Mutation[]} */
export const install = [
  {
    name: 'the file system of an installation can be written to',
    file: `${addon}/pod.ts`,
    search: 'readOnlyRootFilesystem: true',
    replace: 'readOnlyRootFilesystem: false',
    tests: installation,
  },
  {
    name: 'the pods of an installation keep capabilities',
    file: `${addon}/pod.ts`,
    search: "capabilities: { drop: ['ALL'] }",
    replace: 'capabilities: {}',
    tests: installation,
  },
  {
    name: 'what serves virtual nodes may run on one',
    file: `${addon}/pod.ts`,
    search: 'affinity: { nodeAffinity: onRealNodes },',
    replace: '',
    tests: installation,
  },
  {
    name: 'a change of a credential does not reach the pods',
    file: `${addon}/installation.ts`,
    search: 'filesText: JSON.stringify(secrets.map(({ data }) => data)),',
    replace: "filesText: '',",
    tests: installation,
  },
  {
    name: 'an upgrade forgets where the ledger is',
    file: `${addon}/options-of.ts`,
    search: 'volumeAt(stateFolder)?.persistentVolumeClaim?.claimName',
    replace: 'undefined',
    tests: [`${addon}/options-of.test.ts`],
  },
  {
    name: 'an installation has failed when a pod of the version before crashes',
    file: `${installing}/rollout.ts`,
    search: 'pods.filter((pod) => revisionOf(pod) === (newest && revisionOf(newest)))',
    replace: 'pods',
    tests: rollout,
  },
  {
    name: 'an upgrade is ready while a pool has no leader of the new version',
    file: `${installing}/rollout.ts`,
    search: 'if (pod === undefined) return [`pool ${name}: no pod leads it yet`];',
    replace: 'if (pod === undefined) return [];',
    tests: rollout,
  },
  {
    name: 'an upgrade is ready while its leader is not',
    file: `${installing}/rollout.ts`,
    search: 'if (!isReady(pod)) {',
    replace: 'if (false) {',
    tests: rollout,
  },
  {
    name: 'the Deployment of before its change counts as that of afterwards',
    file: `${installing}/rollout.ts`,
    search: '(status.observedGeneration ?? 0) < (metadata?.generation ?? 0)',
    replace: 'false',
    tests: rollout,
  },
  {
    name: 'a second process serves a virtual node that somebody serves',
    file: `${installing}/preflight.ts`,
    search: '(deployment?.spec?.replicas ?? 0) > 0 || !isRenewed(lease, nowMs)',
    replace: 'true',
    tests: preflight,
  },
  {
    name: 'the Deployment of somebody else is taken over',
    file: `${installing}/preflight.ts`,
    search: 'deployment === undefined || isOurs',
    replace: 'true',
    tests: preflight,
  },
  {
    name: 'a rollback restores what others have written, too',
    file: `${installing}/owned-fields.ts`,
    search: '&& isApplier(manager, operation)',
    replace: '',
    tests: [`${installing}/owned-fields.test.ts`],
  },
  {
    name: 'what a Secret holds is shown',
    file: `${installing}/changes.ts`,
    search: 'isSecret ? fields.map(({ path }) => ({ path })) : fields',
    replace: 'fields',
    tests: [`${installing}/changes.test.ts`],
  },
  {
    name: 'a version that does not become ready stays',
    file: `${installing}/install.ts`,
    search: 'if (!wasReady || plan.changes.length === 0) return report',
    replace: 'if (plan.changes.length >= 0) return report',
    tests: [`${installing}/install.test.ts`],
  },
  {
    name: 'a rollback leaves what was new',
    file: `${installing}/apply.ts`,
    search: 'const added = befores.filter(({ applied }) => applied === undefined).toReversed();',
    replace: 'const added = befores.filter(() => false);',
    tests: [`${installing}/install.test.ts`],
  },
  {
    name: 'a pod gets requests for admission before it can answer them',
    file: 'packages/spillway/src/pool/standings.ts',
    search: '[...this.#servers.values()].every((isUp) => isUp)',
    replace: 'true',
    tests: ['packages/spillway/src/serve/health-server.test.ts'],
  },
  {
    name: 'an API server keeps its connections to a replica that leaves',
    file: 'packages/spillway/src/admission/server.ts',
    search: 'if (this.#isLeaving) response.shouldKeepAlive = false;',
    replace: '',
    tests: ['packages/spillway/src/admission/server.test.ts'],
  },
  {
    name: 'what another version has installed cannot be replaced',
    file: 'packages/spillway/src/cli/written-config.ts',
    search: 'if (!(error instanceof ConfigError)) throw error;',
    replace: 'throw error;',
    tests: ['packages/spillway/src/cli/written-config.test.ts'],
  },
  {
    name: 'what is to outlive a stop ends with it',
    file: 'packages/spillway/src/serve/outlive.ts',
    search: 'setTimeout(() => later.abort(signal.reason), ms)',
    replace: 'later.abort(signal.reason)',
    tests: ['packages/spillway/src/serve/outlive.test.ts'],
  },
  {
    name: 'what serves is removed before it is known whether the new version does',
    file: `${installing}/install.ts`,
    search: "    if (!wait) return report({ ...options, plan: withoutRemovals(plan) }, 'applied', view);",
    replace:
      "    await deleteObjects(client, plan.outdated, signal);\n    if (!wait) return report({ ...options, plan: withoutRemovals(plan) }, 'applied', view);",
    tests: [`${installing}/install.test.ts`],
  },
  {
    name: 'what Helm runs before it removes a release reads all Secrets of its namespace',
    file: 'packages/spillway/src/addon/removal-rights.ts',
    search: 'type !== secrets && namespacesOf',
    replace: 'namespacesOf',
    tests: [`${addon}/removal-hook.test.ts`],
  },
  {
    name: 'what Helm runs before it removes a release may remove whatever has the kind of something that is installed',
    file: 'packages/spillway/src/addon/removal-rights.ts',
    search: 'resourceNames: same.slice(0, 1).map(nameOf)',
    replace: 'resourceNames: []',
    tests: [`${addon}/removal-hook.test.ts`],
  },
  {
    name: 'Helm removes the definition of ScheduleProfiles of a release that the command line has changed',
    file: 'packages/spillway/src/addon/helm-release.ts',
    search: 'return keptByHelm({ ...object,',
    replace: 'return ({ ...object,',
    tests: ['packages/spillway/src/addon/helm-release.test.ts'],
  },
  {
    name: 'an uninstall removes the record of a Helm release of which Spillway is only a part',
    file: 'packages/spillway/src/addon/helm-release.ts',
    search: "return typeof name === 'string' ? name : undefined;",
    replace: "return 'spillway';",
    tests: ['packages/spillway/src/addon/helm-release.test.ts'],
  },
  {
    name: 'a right counts as used when another object was asked for',
    file: 'packages/spillway/testkit/audit/audit.ts',
    search: 'permission.name === undefined || permission.name === need.name',
    replace: 'true',
    tests: ['packages/spillway/testkit/audit/audit.test.ts'],
  },
];
