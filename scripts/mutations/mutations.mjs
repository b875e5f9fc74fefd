// What is broken on purpose, and which tests have to notice. A mutation whose text is not found is stale and counts as unnoticed:
// it goes with the code that it breaks.

import { cceAddOn } from './cce-addon.mjs';
import { deadMan } from './dead-man.mjs';
import { edges } from './edges.mjs';
import { install } from './install.mjs';
import { link } from './link.mjs';
import { more } from './pods.mjs';
import { hibernation } from './hibernation.mjs';
import { removal } from './removal.mjs';
import { storage } from './storage.mjs';

/**
 * @typedef {object} Mutation
 * @property {string} name what would go wrong
 * @property {string} file
 * @property {string} search occurs once in the file
 * @property {string} replace
 * @property {readonly string[]} tests files of which at least one test has to fail
 */

const product = 'packages/spillway/src';
const pods = `${product}/pods`;
const placement = `${product}/placement`;
const askers = [`${product}/cli/askers-agree.test.ts`];
const kubelet = `${product}/kubelet`;
const elsewhere = `${product}/backends/kubernetes`;
const informer = 'packages/kube/src/informer';
const core = [`${pods}/core/core.test.ts`];
const decide = [`${pods}/core/decide.test.ts`];
const operations = [`${pods}/operations.test.ts`];
const figures = [`${product}/usage/figures.test.ts`];
const pendingWrite = [`${pods}/status/pending-write.test.ts`];

/** @type {readonly Mutation[]} */
export const mutations = [
  ...more,
  ...deadMan,
  ...edges,
  ...hibernation,
  ...removal,
  ...install,
  ...cceAddOn,
  ...storage,
  ...link,

  // What is seen of the cluster.
  {
    name: 'another pod of the same name is told as a change of the first',
    file: `${informer}/history.ts`,
    search: 'if (old !== undefined && uidOf(old) === uidOf(object)) {',
    replace: 'if (old !== undefined) {',
    tests: core,
  },
  {
    name: 'a new list tells no deletions',
    file: `${informer}/history.ts`,
    search: "for (const object of gone) remove(store, object, 'list', emit);",
    replace: '',
    tests: core,
  },

  // Which instances end, and when.
  {
    name: 'nothing is removed for a pod that went while it was created',
    file: `${pods}/core/decide.ts`,
    search: "if (state.removed || (state.observed.kind === 'absent' && !exists)) return { forget: true };",
    replace: "if (state.removed || state.observed.kind === 'absent') return { forget: true };",
    tests: decide,
  },
  {
    name: 'a watched deletion is not confirmed',
    file: `${pods}/core/decide.ts`,
    search: "if (state.gone === 'reported') return attempt(state, { kind: 'confirmGone' }, nowMs);",
    replace: '',
    tests: decide,
  },
  {
    name: 'a pod that a list lacks counts as deleted',
    file: `${pods}/registry.ts`,
    search: "by === 'watch' ? podGone : podUnlisted",
    replace: 'podGone',
    tests: core,
  },
  {
    name: 'a failed remove counts as done',
    file: `${pods}/operations.ts`,
    search: 'await backend.remove(ref, signal);',
    replace: 'await backend.remove(ref, signal).catch(() => undefined);',
    tests: operations,
  },
  {
    name: 'the sweep never finds anything',
    file: `${pods}/instances/sweeper.ts`,
    search: 'if (due.size > 0) this.#sweeping ??=',
    replace: 'if (due.size < 0) this.#sweeping ??=',
    tests: core,
  },
  {
    name: 'the sweep does not ask whether the pod is there',
    file: `${pods}/instances/sweeper.ts`,
    search: "if (presence === 'gone' && !signal.aborted) onOrphan(ref);",
    replace: 'if (!signal.aborted) onOrphan(ref);',
    tests: core,
  },
  {
    name: 'an instance is left over after one listing',
    file: `${product}/podspec/absence/sightings.ts`,
    search: 'if (knownMs !== undefined && startedMs >= dueMs) due.set(key, item);',
    replace: 'due.set(key, item);',
    tests: [`${pods}/instances/sweeper.test.ts`],
  },
  {
    name: 'most may be missing at once',
    file: `${product}/podspec/absence/suspicion.ts`,
    search: 'if (candidates <= few || candidates <= total * this.#maxFraction) {',
    replace: 'if (candidates >= 0) {',
    tests: core,
  },
  {
    name: 'a view that is wrong for some seconds loses what is too little to be suspicious',
    file: `${pods}/core/absence.ts`,
    search: 'export const lossSpacingMs = 30_000;',
    replace: 'export const lossSpacingMs = 2000;',
    tests: core,
  },
  {
    name: 'an outage counts as time in which listings said so',
    file: `${product}/podspec/absence/suspicion.ts`,
    search: 'Math.min(startedMs - untilMs, mostPerListingMs)',
    replace: 'startedMs - untilMs',
    tests: core,
  },
  {
    name: 'what a watch said to be gone is not looked for in a listing',
    file: `${pods}/registry.ts`,
    search: "return observed.kind !== 'absent' && (last === undefined ? ran : last.state !== 'ended');",
    replace: "return observed.kind !== 'absent' && last === undefined && ran;",
    tests: core,
  },
  {
    name: 'the backend tells what its list lacks as gone',
    file: `${product}/backends/kubernetes/pods/instances.ts`,
    search: "else if (by === 'watch') hub.gone(ref);",
    replace: 'else hub.gone(ref);',
    tests: [`${product}/backends/kubernetes/pods/instances.test.ts`],
  },

  // What it costs to know what is there.
  {
    name: 'whoever waits for one pod looks at each change of any pod',
    file: `${product}/backends/kubernetes/pods/instances.ts`,
    search: 'for (const look of this.#waiting.get(uid) ?? []) look();',
    replace: 'void uid;\n    for (const looks of this.#waiting.values()) for (const look of looks) look();',
    tests: [`${product}/backends/kubernetes/pods/instances.test.ts`],
  },
  {
    name: 'each log and each command asks the other cluster for the pod',
    file: `${product}/backends/kubernetes/kubernetes-backend.ts`,
    search: 'let pod = instances.lastSeen(ref.uid);',
    replace: 'let pod: Pod | undefined;',
    tests: [`${product}/backends/kubernetes/make-kubernetes.test.ts`],
  },

  // What has ended goes in time, and not before.
  {
    name: 'what has ended stays on the backend until its pod is deleted',
    file: `${pods}/core/decide.ts`,
    search: ': letGo(state, pod, nowMs, context);',
    replace: ': idle;',
    tests: [...core, `${pods}/core/decide.property.test.ts`],
  },
  {
    name: 'what has ended is not kept for its log',
    file: `${pods}/core/decide.ts`,
    search: 'const dueMs = endedMs + keepEndedMs;',
    replace: 'const dueMs = endedMs;',
    tests: core,
  },
  {
    name: 'what has ended goes before its exit codes are told',
    file: `${pods}/core/decide.ts`,
    search:
      'if (!tellsEnd(pod.status ?? {}, podStatus(statusInput(state, pod, nowMs, context, { over: true })))) return idle;',
    replace: '',
    tests: [`${pods}/core/ended.test.ts`],
  },
  {
    name: 'an instance that a late request made of a pod that has ended is not looked after',
    file: `${pods}/core/transitions.ts`,
    search: 'if (state.removed && !stays(state)) return state;',
    replace: 'if (state.removed) return state;',
    tests: core,
  },
  {
    name: 'status: the address of the host follows the replica that leads',
    file: `${pods}/status/status.ts`,
    search: 'toldHosts.length > 0 ? toldHosts : hostIPs',
    replace: 'hostIPs.length > 0 ? hostIPs : toldHosts',
    tests: [`${pods}/status/status.test.ts`],
  },
  {
    name: 'what is said of an end changes with what is seen later',
    file: `${pods}/status/status.ts`,
    search: 'if (isOver(live)) {',
    replace: 'if (isOver()) {',
    tests: [`${pods}/status/status.test.ts`],
  },
  {
    name: 'kubectl does not show why there is no log of what has ended',
    file: `${kubelet}/handlers/logs.ts`,
    search: 'return new Problem(400, message);',
    replace: 'return new Problem(404, message);',
    tests: [`${kubelet}/handlers/logs.test.ts`],
  },

  // What a backend accepts and has no place for.
  {
    name: 'what nobody has a place for is never taken back',
    file: `${pods}/core/place.ts`,
    search: 'if (placeWithinMs === undefined || !isUnplaced(state)) return undefined;',
    replace: 'if (placeWithinMs !== undefined || !isUnplaced(state)) return undefined;',
    tests: [`${pods}/core/place.test.ts`],
  },
  {
    name: 'a pool is open again for what was only accepted',
    file: `${pods}/core/place.ts`,
    search: 'return last !== undefined && last.unplaced === undefined;',
    replace: 'return last !== undefined;',
    tests: core,
  },
  {
    name: 'a create waits until there is a place for what it asks for',
    file: `${product}/backends/kubernetes/pods/creation.ts`,
    search: 'else await post(translation.pod, ref, context, signal);',
    replace: `else await post(translation.pod, ref, context, signal);
    await instances.seen(ref.uid, (pod) => pod?.spec?.nodeName !== undefined, signal);`,
    tests: [`${product}/backends/kubernetes/pods/creation.test.ts`],
  },
  {
    name: 'what has found a place is taken back',
    file: `${product}/backends/kubernetes/kubernetes-backend.ts`,
    search: 'if (whyUnplaced(pod) === undefined) return false;',
    replace: '',
    tests: [`${product}/backends/cci/make-cci.test.ts`],
  },
  {
    name: 'a pod that is taken back has ended',
    file: `${pods}/core/transitions.ts`,
    search: "if (state.withdrawn && state.phase === 'syncing' && instance.state === 'ended' && !ran) return state;",
    replace: '',
    tests: [`${pods}/core/place.test.ts`],
  },

  // One pod, one instance.
  {
    name: 'the name of an instance does not say which pod it is',
    file: `${product}/backends/kubernetes/pods/names.ts`,
    search: 'maxPodName, 10, uid)',
    replace: 'maxPodName, 10, name)',
    tests: [`${product}/backends/kubernetes/pods/names.test.ts`],
  },
  {
    name: 'each attempt at an instance has a name of its own',
    file: `${product}/backends/kubernetes/pods/creation.ts`,
    search: 'await pods.create(pod, {',
    replace: 'await pods.create({ ...pod, metadata: { ...pod.metadata, name: `${nameOf(pod)}-${Math.random()}` } }, {',
    tests: [`${product}/backends/kubernetes/pods/one-instance.test.ts`],
  },
  {
    name: 'what an earlier version made is made again under another name',
    file: `${product}/backends/kubernetes/pods/creation.ts`,
    search: 'if (there) assertCreated(there, ref, owner);',
    replace: 'if (there && owner === undefined) return;',
    tests: [`${product}/backends/kubernetes/pods/one-instance.test.ts`],
  },
  {
    name: 'of two instances of one pod the one that is well goes',
    file: `${product}/backends/kubernetes/pods/doubles.ts`,
    search: 'worthOf(pod) - worthOf(other)',
    replace: 'worthOf(other) - worthOf(pod)',
    tests: [`${product}/backends/kubernetes/pods/doubles.test.ts`],
  },
  {
    name: 'a second instance is ended although it has changed since it was judged',
    file: `${product}/backends/kubernetes/pods/removal.ts`,
    search: '{ gracePeriodSeconds, unchanged: true, signal }',
    replace: '{ gracePeriodSeconds, signal }',
    tests: [`${product}/backends/kubernetes/make-kubernetes.test.ts`],
  },
  {
    name: 'copies go after one listing that shows nobody who uses them',
    file: `${product}/podspec/absence/sightings.ts`,
    search: 'if (knownMs !== undefined && startedMs >= dueMs) due.set(key, item);',
    replace: 'due.set(key, item);',
    tests: [`${product}/backends/kubernetes/copies/copy-keeper.test.ts`],
  },
  {
    name: 'most copies may be unused at once',
    file: `${product}/podspec/absence/suspicion.ts`,
    search: 'if (candidates <= few || candidates <= total * this.#maxFraction) {',
    replace: 'if (candidates >= 0) {',
    tests: [`${product}/backends/kubernetes/copies/copy-keeper.test.ts`],
  },
  {
    name: 'copies of pods that went by themselves are as expected as of those that were stopped',
    file: `${product}/backends/kubernetes/copies/copy-keeper.ts`,
    search: 'expected: this.#released,',
    replace: 'expected: new Set(leftOver.keys()),',
    tests: [`${product}/backends/kubernetes/copies/copy-keeper.test.ts`],
  },

  // What is started.
  {
    name: 'what ran is started again',
    file: `${pods}/core/decide.ts`,
    search: "if (state.phase !== 'syncing' || state.ran || state.refusals.length > 0 || final) return idle;",
    replace: "if (state.phase !== 'syncing' || state.refusals.length > 0 || final) return idle;",
    tests: decide,
  },
  {
    name: 'an instance that is lost ends no pod',
    file: `${pods}/core/transitions.ts`,
    search: 'return wouldBeLost(state) ? judgedLost(',
    replace: 'return !wouldBeLost(state) && state.ran ? judgedLost(',
    tests: decide,
  },
  {
    name: 'one absence is enough to be lost',
    file: `${pods}/core/absence.ts`,
    search: 'export const absencesNeeded = 2;',
    replace: 'export const absencesNeeded = 1;',
    tests: decide,
  },
  {
    name: 'a create is given up after twenty attempts',
    file: `${pods}/core/problems.ts`,
    search: "if (operation === 'create' && problem.kind === 'invalid') return",
    replace: "if (operation === 'create' && (problem.kind === 'invalid' || attempts > 20)) return",
    tests: core,
  },
  {
    name: 'the backend makes a second instance of one UID',
    file: `${product}/backends/simulated/simulated-region.ts`,
    search: 'if (this.find(owner, workload.ref.uid) === undefined) await this.createAnother(owner, workload);',
    replace: 'await this.createAnother(owner, workload);',
    tests: core,
  },
  {
    name: 'a pod that was never created waits for its backend',
    file: `${pods}/core/decide.ts`,
    search: 'if (!state.removed && (state.inherited || mayExist(state))) return',
    replace: 'if (!state.removed) return',
    tests: core,
  },
  {
    name: 'a create waits inside for the preparation',
    file: `${pods}/operations.ts`,
    search: 'if (problem) return { ok: false, problem };',
    replace: 'if (problem) await new Promise(() => {});',
    tests: core,
  },
  {
    name: 'a defect in an operation rejects',
    file: `${pods}/operations.ts`,
    search: 'return { ok: false, problem: problemOf(error) };',
    replace: 'throw error;',
    tests: operations,
  },
  {
    name: 'a pod has no grace while it starts',
    file: `${pods}/core/decide.ts`,
    search: 'const graceSeconds = Math.max(0, Math.ceil((deadlineMs - nowMs) / 1000));',
    replace:
      "const isStarting = state.observed.kind === 'present' && state.observed.instance.state === 'starting';\n    const graceSeconds = isStarting ? 0 : Math.max(0, Math.ceil((deadlineMs - nowMs) / 1000));",
    tests: core,
  },
  {
    name: 'tokens are not renewed',
    file: `${pods}/core/decide.ts`,
    search: 'return follows ? content.renewAtMs : Number.POSITIVE_INFINITY;',
    replace: 'return Number.POSITIVE_INFINITY;',
    tests: core,
  },

  // What is told.
  {
    name: 'a deleted pod does not wait for its terminal status',
    file: `${pods}/core/decide.ts`,
    search: 'if (!tellsEnd(pod.status ?? {}, end) && !isGivenUp(state, end)) return idle;',
    replace: '',
    tests: core,
  },
  {
    name: 'a refusal of any status lets the pod go without its terminal one',
    file: `${pods}/core/decide.ts`,
    search: 'refusedStatus.times >= refusalsNeeded && tellsEnd(refusedStatus.status, end);',
    replace: 'refusedStatus.times > 0;',
    tests: decide,
  },
  {
    name: 'a status is given up after three attempts',
    file: `${pods}/status/pending-write.ts`,
    search: "const refused = result.kind === 'refused' ? status : undefined;",
    replace:
      "if (attempts >= 3) return undefined;\n      const refused = result.kind === 'refused' ? status : undefined;",
    tests: pendingWrite,
  },
  {
    name: 'a status that comes while another is sent is lost',
    file: `${pods}/status/pending-write.ts`,
    search: 'return newer === undefined ? undefined : fresh(newer);',
    replace: 'return undefined;',
    tests: pendingWrite,
  },
  {
    name: 'a status waits for the back-off of another that was refused',
    file: `${pods}/status/pending-write.ts`,
    search: 'return before.refused === undefined || isSame(before.refused, status)',
    replace: 'return before !== undefined',
    tests: pendingWrite,
  },
  {
    name: 'a status that is wanted has no turn in the queue',
    file: `${pods}/status/status-writer.ts`,
    search: 'if (Number.isFinite(atMs)) this.#queue.addAfter(uid, atMs - now);',
    replace: 'if (atMs > now && Number.isFinite(atMs)) this.#queue.addAfter(uid, atMs - now);',
    tests: core,
  },
  {
    name: 'a status brings back a pod that somebody else has ended',
    file: `${pods}/status/status-patch.ts`,
    search: "'phase' in patch && resourceVersion !== undefined ? { resourceVersion } : {}",
    replace: '{}',
    tests: core,
  },
  {
    name: 'conditions of others are replaced',
    file: `${pods}/status/status-patch.ts`,
    search: "if (conditions.length > 0) patch['conditions'] = conditions;",
    replace: "if (conditions.length > 0) patch['conditions'] = [{ $patch: 'replace' }, ...(wanted.conditions ?? [])];",
    tests: core,
  },

  // The node and its backend.
  {
    name: 'a machine is adopted as virtual node',
    file: `${product}/node/node-object.ts`,
    search: 'spec?.providerID?.startsWith(providerScheme) === true ||',
    replace: 'true ||',
    tests: [`${product}/node/node-controller.test.ts`],
  },
  {
    name: 'a health check that hangs is waited for',
    file: `${product}/pool/backend-health.ts`,
    search: 'await Promise.race([backend.ping(both), given.promise]);',
    replace: 'await backend.ping(signal);',
    tests: [`${product}/pool/backend-health.test.ts`],
  },

  // The kubelet API.
  {
    name: 'a right to read is enough to run commands over a WebSocket',
    file: `${kubelet}/auth/attributes.ts`,
    search: "alwaysCreate.has(first) ? 'create' : (verbs[method] ?? method.toLowerCase())",
    replace: 'verbs[method] ?? method.toLowerCase()',
    tests: [`${kubelet}/route.test.ts`],
  },
  {
    name: 'whoever does not log in is let in',
    file: `${kubelet}/auth/access-control.ts`,
    search: "if (user === undefined) throw new Problem(401, 'Unauthorized');",
    replace: "if (user === undefined) return { name: 'system:anonymous', groups: [] };",
    tests: [`${kubelet}/server.test.ts`],
  },
  {
    name: 'tokens without a certificate are refused',
    file: `${kubelet}/server.ts`,
    search: 'rejectUnauthorized: false,',
    replace: 'rejectUnauthorized: true,',
    tests: [`${kubelet}/server.test.ts`],
  },
  {
    name: 'a command runs on when its client is gone',
    file: `${kubelet}/handlers/remote-command.ts`,
    search: 'AbortSignal.any([gone.signal, stopping])',
    replace: 'stopping',
    tests: [`${kubelet}/handlers/remote-command.test.ts`],
  },

  // What pods use.
  {
    name: 'a measurement that is told again counts as another',
    file: `${product}/usage/figures.ts`,
    search: 'if (before !== undefined && measured.atMs <= before.atMs) return before;',
    replace: '',
    tests: figures,
  },
  {
    name: 'CPU time of a container counts on when it is started again',
    file: `${product}/usage/figures.ts`,
    search: 'known?.startedAtMs === startedAtMs ? known : undefined',
    replace: 'known',
    tests: figures,
  },
  {
    name: 'CPU time counts by the windows of the measurements that were seen',
    file: `${product}/usage/counter.ts`,
    search: 'const coveredMs = gapMs <= longestGapMs ? gapMs : windowMs;',
    replace: 'const coveredMs = windowMs;',
    tests: [`${product}/usage/counter.test.ts`],
  },
  {
    name: 'a new counter has what its container may have used since its start',
    file: `${product}/usage/figures.ts`,
    search: 'const windowMs = Math.min(measured.windowMs, measured.atMs - startedAtMs);',
    replace: 'const windowMs = measured.atMs - startedAtMs;',
    tests: [`${kubelet}/usage/metrics-server.test.ts`],
  },
  {
    name: 'a pod of which a container is not known is told in part',
    file: `${kubelet}/usage/resource-metrics.ts`,
    search: '{ labels: ofContainer(pod, container), value: container.startedAtMs / 1000 },',
    replace:
      '...(container.figures ? [{ labels: ofContainer(pod, container), value: container.startedAtMs / 1000 }] : []),',
    tests: [`${kubelet}/handlers/usage.test.ts`],
  },
  {
    name: 'a process that serves a pool no more goes on saying how it was',
    file: `${product}/pool/pool-metrics.ts`,
    search: '      metrics.backendReachable,\n',
    replace: '',
    tests: [`${product}/pool/pool-metrics.test.ts`],
  },
  {
    name: 'each scrape asks the backend',
    file: `${product}/usage/usage-sampler.ts`,
    search: 'this.#asking ??= this.#ask();',
    replace: 'this.#asking = this.#ask();',
    tests: [`${product}/usage/usage-sampler.test.ts`],
  },
  {
    name: 'old figures are told for ever',
    file: `${product}/usage/usage-sampler.ts`,
    search: 'return this.#options.clock.now() < this.#knownUntilMs ? this.#figures : undefined;',
    replace: 'return this.#figures;',
    tests: [`${product}/usage/usage-sampler.test.ts`],
  },
  {
    name: 'a missing metrics API counts as a missing namespace',
    file: `${product}/backends/kubernetes/pods/usage.ts`,
    search: "case 'notFound':",
    replace: "case 'gone':",
    tests: [`${product}/backends/kubernetes/pods/usage.test.ts`],
  },

  // What a pod elsewhere knows of itself.
  {
    name: 'a pod is told the namespace that it has elsewhere',
    file: `${elsewhere}/fields/pod-fields.ts`,
    search: 'subdomain: adapted,',
    replace: 'subdomain: passed,',
    tests: [`${elsewhere}/fields/translate.test.ts`],
  },
  {
    name: 'a pod of a StatefulSet does not find its fully qualified name',
    file: `${elsewhere}/fields/translate.ts`,
    search: 'withHosts(plain, identity.names, writer)',
    replace: 'plain',
    tests: [`${elsewhere}/fields/translate.test.ts`],
  },
  {
    name: 'a pod loses the dots of its host name',
    file: `${elsewhere}/fields/identity.ts`,
    search: '...(isOverride && { hostnameOverride: wanted })',
    replace: '',
    tests: [`${elsewhere}/fields/identity.test.ts`],
  },
  {
    name: 'a pod whose hosts file cannot be written does not say why',
    file: `${elsewhere}/pods/observe.ts`,
    search: '...withoutWriter({ initContainerStatuses, containerStatuses })',
    replace: 'initContainerStatuses, containerStatuses',
    tests: [`${elsewhere}/pods/observe.test.ts`],
  },

  // Why a container waits.
  {
    name: 'a container of a pod with init containers waits as one of a pod without',
    file: `${product}/podspec/containers.ts`,
    search: "? 'PodInitializing' :",
    replace: "? 'ContainerCreating' :",
    tests: [`${pods}/status/status.test.ts`],
  },
  {
    name: 'an init container waits for what held it up before',
    file: `${pods}/status/status.ts`,
    search: 'ranStatuses(live.initContainerStatuses)',
    replace: '(live.initContainerStatuses ?? [])',
    tests: [`${pods}/status/status.test.ts`],
  },

  // What its author changes while it runs.
  {
    name: 'an edit of a pod that runs goes nowhere',
    file: `${pods}/core/decide.ts`,
    search: 'if (!isCarriedOut(state) || (follows && outdated)) return',
    replace: 'if (follows && outdated) return',
    tests: decide,
  },
  {
    name: 'an edit counts as observed before it is carried out',
    file: `${pods}/status/status.ts`,
    search: 'if (isBehind) return status?.observedGeneration;',
    replace: 'if (isBehind && ended) return status?.observedGeneration;',
    tests: decide,
  },
  {
    name: 'everybody in a container may read the token of its user',
    file: `${product}/podspec/volumes.ts`,
    search: 'restricted ? tokenMode : mode',
    replace: 'mode',
    tests: [`${product}/podspec/volumes.test.ts`],
  },

  // What is gone here goes there.
  {
    name: 'a backend is not told what its pods do without',
    file: `${pods}/operations.ts`,
    search: 'absent: absentOf(wanted, sources),',
    replace: '',
    tests: operations,
  },
  {
    name: 'what somebody else has made under the name of a copy is removed',
    file: `${elsewhere}/copies/copy-keeper.ts`,
    search: 'if (found !== undefined && sourceOf(found, this.#options.owner) !== undefined) await',
    replace: 'if (found !== undefined) await',
    tests: [`${elsewhere}/copies/copy-keeper.test.ts`],
  },

  // Whether a pool runs a pod.
  {
    name: 'a pod with auto is let in although no pool runs it',
    file: `${placement}/rules/let-in.ts`,
    search: "value === 'auto' && taken ?",
    replace: "value === 'auto' ?",
    tests: askers,
  },
  {
    name: 'a pod is not kept from the node of a pool that does not run it',
    file: `${placement}/rules/let-in.ts`,
    search: 'if (closed.length === 0) return entrance;',
    replace: 'if (closed.length >= 0) return entrance;',
    tests: askers,
  },
  {
    name: 'admission lets a workload through that must burst and never can',
    file: `${product}/admission/advise.ts`,
    search: 'if (brought.size > 0) return',
    replace: 'if (brought.size < 0) return',
    tests: askers,
  },
  {
    name: 'the binder takes a pool that has no room',
    file: `${placement}/binder/choose-pool.ts`,
    search: "if (fit.kind === 'fits') return { pool };",
    replace: "if (fit.kind === 'fits' || fit.kind === 'room') return { pool };",
    tests: askers,
  },
  {
    name: 'the pool runs what it cannot',
    file: `${pods}/intake/pod-review.ts`,
    search: "return fit.kind === 'refused' ? { refusals: fit.reasons }",
    replace: "return fit.kind === 'selector' ? { refusals: [] }",
    tests: askers,
  },
  {
    name: 'doctor does not look at the room that is left',
    file: `${product}/diagnosis/doctor/not-taken.ts`,
    search: 'fitOf(pod, pool, { node: nodeOf.get(pool.nodeName), shortage })',
    replace: 'fitOf(pod, pool, { node: nodeOf.get(pool.nodeName) })',
    tests: askers,
  },
  {
    name: 'plan gives the room of one workload to the next',
    file: `${product}/diagnosis/plan/forecast.ts`,
    search: 'room.take(name, each, count);',
    replace: '',
    tests: [`${product}/diagnosis/plan/plan.test.ts`],
  },
  {
    name: 'CCI gets pods of six containers',
    file: `${product}/podspec/sizing/offer.ts`,
    search: 'if (together + addedContainers <= maxContainers) return [];',
    replace: 'if (together + addedContainers <= maxContainers + 1) return [];',
    tests: askers,
  },
  {
    name: 'CCI gets a request without its limit',
    file: `${product}/podspec/sizing/sized-pod.ts`,
    search: 'if (size === undefined || container.resources === undefined)',
    replace: 'if (size === undefined || (size.milliCpu === 0n && size.memoryBytes === 0n))',
    tests: askers,
  },
  {
    name: 'pods get a disk that there is not',
    file: `${product}/podspec/fit/disk.ts`,
    search: 'wanted <= diskBytes',
    replace: 'wanted >= 0n',
    tests: [`${product}/podspec/fit/fit.test.ts`],
  },
  {
    name: 'pods that nothing keeps away are given back for ever',
    file: `${placement}/give-back/successors.ts`,
    search: 'return givenBackMs !== undefined && seenMs > givenBackMs;',
    replace: 'return false;',
    tests: [`${placement}/give-back/reclaimer.test.ts`],
  },
  {
    name: 'a pod that could be nowhere else is given back',
    file: `${placement}/give-back/reclaimer.ts`,
    search: 'if (!this.#options.hasAlternative(pod)) {',
    replace: 'if (false) {',
    tests: [`${placement}/give-back/reclaimer.test.ts`],
  },
  {
    name: 'a profile gives the virtual side to a pod that no pool runs',
    file: `${placement}/profiles/side.ts`,
    search: "side === 'cci' && strategy !== 'enforce' && !mayBurst()",
    replace: 'false',
    tests: [`${placement}/profiles/side.test.ts`],
  },

  // What people are told, and what commands end with.
  {
    name: 'a log begins with lines that are older than asked for',
    file: `${product}/backends/kubernetes/pods/log-part.ts`,
    search: 'time.at >= since',
    replace: 'true',
    tests: [`${product}/backends/kubernetes/pods/log-part.test.ts`],
  },
  {
    name: 'an event names a copy as it is called in the other cluster',
    file: `${product}/backends/kubernetes/pods/notices.ts`,
    search: 'sourceNameOf(copy, ref.namespace) ?? copy',
    replace: 'copy',
    tests: [`${product}/backends/kubernetes/pods/notices.test.ts`],
  },
  {
    name: 'a command takes the streams of its client before the way to the container is open',
    file: `${kubelet}/handlers/remote-command.ts`,
    search: 'const result = await work(ref, { ...streams, open },',
    replace:
      'const opened = open();\n        await opened;\n        const result = await work(ref, { ...streams, open: () => opened },',
    tests: [`${kubelet}/handlers/remote-command.test.ts`],
  },
  {
    name: 'a second installation overwrites the roles of the first',
    file: `${product}/addon/rbac.ts`,
    search: '`${installation}-${name}`',
    replace: '`spillway-${name}`',
    tests: [`${product}/addon/rbac.test.ts`],
  },
  {
    name: 'credentials that are not accepted count as a cluster that does not answer',
    file: `${product}/cli/told.ts`,
    search: "error.kind === 'unauthorized' ? exitCodes.mistake : exitCodes.failure",
    replace: 'exitCodes.failure',
    tests: [`${product}/cli/told.test.ts`],
  },
  {
    name: 'what an object lacks of another counts as equal to it',
    file: `${informer}/sharing.ts`,
    search: 'Object.keys(a).length === keys.length',
    replace: 'keys.length > 0',
    tests: [`${informer}/sharing.test.ts`],
  },
  {
    name: 'the parts of objects are shared with those of an informer that has ended',
    file: `${informer}/sharing.ts`,
    search: 'this.#stores.delete(store)',
    replace: 'this.#stores.has(store)',
    tests: [`${informer}/sharing.test.ts`],
  },
  {
    name: 'an informer keeps equal parts of objects as often as they come',
    file: `${informer}/informer.ts`,
    search: 'return this.#sharing.share(transformed);',
    replace: 'return transformed;',
    tests: [`${informer}/informer.test.ts`],
  },
  {
    name: 'YAML whose aliases stand for too much ends in a stack trace',
    file: 'packages/kube/src/config/yaml.ts',
    search: 'if (error instanceof RangeError) throw error;\n    const bomb',
    replace: 'if (error instanceof ReferenceError) throw error;\n    const bomb',
    tests: ['packages/kube/src/config/yaml.test.ts'],
  },
];
