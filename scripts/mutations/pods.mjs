// What somebody might change in the core without seeing what it is for: a comparison, a precondition, a guard.

const product = 'packages/spillway/src';
const kube = 'packages/kube/src';
const pods = `${product}/pods`;
const core = [`${pods}/core/core.test.ts`];
const decide = [`${pods}/core/decide.test.ts`];
const observer = [`${pods}/instances/instance-observer.test.ts`];
const news = [`${pods}/instances/instance-news.test.ts`];
const sweeper = [`${pods}/instances/sweeper.test.ts`];
const operations = [`${pods}/operations.test.ts`];
const writer = [`${pods}/status/status-writer.test.ts`];
const patch = [`${pods}/status/status.test.ts`, ...writer, ...core];
const suspicion = [`${product}/podspec/absence/suspicion.test.ts`];
const informer = [`${kube}/informer/informer.test.ts`];
const election = [`${kube}/leader/leader-election.test.ts`];

const decisions = `${pods}/core/decide.ts`;
const transitions = `${pods}/core/transitions.ts`;
const outcomes = `${pods}/core/outcomes.ts`;

/** @type {readonly import('./mutations.mjs').Mutation[]} */
export const more = [
  // What is decided.
  {
    name: 'a pod that is to end is created',
    file: decisions,
    search: "if (state.phase !== 'syncing' || state.ran || state.refusals",
    replace: 'if (state.ran || state.refusals',
    tests: decide,
  },
  {
    name: 'a pod that was refused is created',
    file: decisions,
    search: 'state.ran || state.refusals.length > 0 || final',
    replace: 'state.ran || final',
    tests: decide,
  },
  {
    name: 'what is not seen is removed without a stop',
    file: decisions,
    search: "if (isRunning(state) || observed.kind === 'doubtful') return stopIt",
    replace: 'if (isRunning(state)) return stopIt',
    tests: decide,
  },
  {
    name: 'an instance is removed because a list lacks its pod',
    file: decisions,
    search: "if (state.gone === 'unlisted') return idle;",
    replace: '',
    tests: core,
  },
  {
    name: 'a pod whose instance is removed is looked after for ever',
    file: decisions,
    search: "if (state.removed || (state.observed.kind === 'absent' && !exists)) return { forget: true };",
    replace: "if (state.observed.kind === 'absent' && !exists) return { forget: true };",
    tests: decide,
  },
  {
    name: 'what failed is tried again at once',
    file: decisions,
    search: 'failure !== undefined && nowMs < failure.retryAtMs ?',
    replace: 'failure !== undefined && nowMs < 0 ?',
    tests: decide,
  },
  {
    name: 'a deletion that a restored cluster has forgotten is not repeated',
    file: decisions,
    search: 'deletedMs === undefined ? nowMs : deletedMs + deleteAgainMs',
    replace: 'deletedMs === undefined ? nowMs : Number.POSITIVE_INFINITY',
    tests: decide,
  },
  {
    name: 'half of an instance is taken for a whole one',
    file: decisions,
    search: "state.observed.instance.state === 'starting' && state.created !== 'accepted'",
    replace: "state.observed.instance.state === 'starting' && state.created === 'no'",
    tests: core,
  },
  {
    name: 'a status is told before the backend was listed',
    file: decisions,
    search: "if (observed.kind === 'unknown') return {};\n  const tell",
    replace: 'const tell',
    tests: [...decide, ...core],
  },
  {
    name: 'a pod whose instance is not seen for a moment is told to be waiting',
    file: decisions,
    search: "if (observed.kind === 'doubtful' && state.ran) return {};",
    replace: '',
    tests: [...decide, ...core],
  },
  {
    name: 'an end is told while the pod is being created',
    file: decisions,
    search: "state.inFlight?.kind === 'create' ? {} : tell({ over: true })",
    replace: 'tell({ over: true })',
    tests: decide,
  },
  {
    name: 'an instance that does not end is not asked again',
    file: decisions,
    search: 'if (nowMs >= overdueAtMs) {',
    replace: 'if (nowMs < 0) {',
    tests: decide,
  },
  {
    name: 'a stop is repeated because its deadline has passed',
    file: decisions,
    search: 'nowMs < state.stopped.deadlineMs &&\n',
    replace: '\n',
    tests: decide,
  },
  {
    name: 'a terminal status is given up one refusal too early',
    file: decisions,
    search: 'export const refusalsNeeded = 5;',
    replace: 'export const refusalsNeeded = 4;',
    tests: decide,
  },
  {
    name: 'an ended pod is stopped although nothing runs',
    file: decisions,
    search: "return observed.kind === 'present' && observed.instance.state !== 'ended';",
    replace: "return observed.kind === 'present';",
    tests: decide,
  },
  {
    name: 'an edit is carried out at every change',
    file: decisions,
    search: 'return content.readMs + followSpacingMs;',
    replace: 'return nowMs;',
    tests: decide,
  },

  // What becomes of what is known.
  {
    name: 'news about another pod of the same name are taken for its own',
    file: transitions,
    search: 'if (pod.metadata?.uid !== state.ref.uid) return state;',
    replace: '',
    tests: decide,
  },
  {
    name: 'late news bring back what was removed',
    file: transitions,
    search: 'if (state.removed && !stays(state)) return state;',
    replace: '',
    tests: decide,
  },
  {
    name: 'two listings at the same time count as two',
    file: transitions,
    search: 'if (startedMs < countsFromMs(state, observed)) return state;',
    replace: '',
    tests: decide,
  },
  {
    name: 'what a watch says to be gone is gone',
    file: transitions,
    search: "observed: stopped ? { kind: 'absent' } : doubtful(nowMs, { toldGone: true })",
    replace: "observed: nowMs > 0 || stopped ? { kind: 'absent' } : doubtful(nowMs, { toldGone: true })",
    tests: decide,
  },
  {
    name: 'a create whose answer is lost counts as never sent',
    file: outcomes,
    search: "['missingReference', 'unprepared', 'invalid', 'api'].includes(problem.kind)",
    replace: "['missingReference', 'unprepared', 'invalid', 'api', 'unavailable'].includes(problem.kind)",
    tests: [...decide, ...core],
  },
  {
    name: 'a grace becomes longer',
    file: transitions,
    search: 'return Math.min(state.graceEndsMs ?? Number.POSITIVE_INFINITY, end);',
    replace: 'return Math.max(state.graceEndsMs ?? 0, end);',
    tests: decide,
  },
  {
    name: 'a pod whose deletion began while nobody looked has its whole grace again',
    file: transitions,
    search: 'graceEndsMs: isDeleting(pod) ? deletionTimeMs(pod, nowMs) : undefined,',
    replace: 'graceEndsMs: undefined,',
    tests: decide,
  },
  {
    name: 'a pod goes back to a phase that it has left',
    file: `${pods}/core/phases.ts`,
    search: 'return order[a] >= order[b] ? a : b;',
    replace: 'return order[a] > 2 ? a : b;',
    tests: [`${pods}/core/decide.property.test.ts`, ...decide],
  },
  {
    name: 'a pod that was there before the process counts as never created',
    file: transitions,
    search: "if (!inherited && !ran) return { kind: 'absent' };",
    replace: "if (!ran) return { kind: 'absent' };",
    tests: [...decide, ...core],
  },
  {
    name: 'what was created again is taken for what it was asked to be',
    file: outcomes,
    search: 'content: operation.again || isOfAnother(next.last, content) ? undefined : content,',
    replace: 'content,',
    tests: decide,
  },
  {
    name: 'a pod whose end a restored cluster has forgotten stays for ever what it is',
    file: transitions,
    search: "if (shouldEnd(state) && !shouldEnd(next) && next.last?.state !== 'ended' && !next.placeholder) {",
    replace: 'if (shouldEnd(state) && shouldEnd(next) && next.placeholder) {',
    tests: decide,
  },
  {
    name: 'a pod that another process has started is lost',
    file: transitions,
    search: 'uncertain || startedByAnother ?',
    replace: 'uncertain ?',
    tests: decide,
  },
  {
    name: 'what changes while it is read is not read again',
    file: outcomes,
    search: "const outrun = state.outdated && problem.kind === 'missingReference';",
    replace: 'const outrun = false;',
    tests: decide,
  },

  // What is believed of the backend.
  {
    name: 'a listing that is incomplete counts as complete',
    file: `${pods}/instances/instance-observer.ts`,
    search: 'missing: (uid) => listing.complete && !listed.has(uid) && !changed.has(uid),',
    replace: 'missing: (uid) => !listed.has(uid) && !changed.has(uid),',
    tests: observer,
  },
  {
    name: 'an incomplete listing is enough to begin with',
    file: `${pods}/instances/instance-observer.ts`,
    search: 'if (listing.complete) this.#completeOnce = true;',
    replace: 'this.#completeOnce = true;',
    tests: observer,
  },
  {
    name: 'what is told while a listing is under way is older than it',
    file: `${pods}/instances/instance-observer.ts`,
    search: 'if (!changed.has(instance.ref.uid)) sink.instance(instance);',
    replace: 'sink.instance(instance);',
    tests: observer,
  },
  {
    name: 'an instance that came during a listing is missing from it',
    file: `${pods}/instances/instance-observer.ts`,
    search: '!listed.has(uid) && !changed.has(uid)',
    replace: '!listed.has(uid)',
    tests: observer,
  },
  {
    name: 'a broken watch is not followed by a listing',
    file: `${pods}/instances/instance-observer.ts`,
    search: '      // What happened meanwhile was not told.\n      this.#options.requests.request();',
    replace: '',
    tests: observer,
  },
  {
    name: 'conclusions are drawn from incomplete listings',
    file: `${pods}/instances/instance-news.ts`,
    search: 'if (!listing.complete) return;',
    replace: '',
    tests: news,
  },
  {
    name: 'instances are left over before the pods were listed',
    file: `${pods}/instances/instance-news.ts`,
    search: 'if (!podsListed()) return;',
    replace: '',
    tests: news,
  },
  {
    name: 'those that were asked to end make a listing suspicious',
    file: `${pods}/registry.ts`,
    search: "if (state.stopped !== undefined || (state.observed.kind !== 'present'",
    replace: "if ((state.observed.kind !== 'present'",
    tests: core,
  },
  {
    name: 'a suspicion is not forgotten when a listing says something else',
    file: `${product}/podspec/absence/suspicion.ts`,
    search: 'this.#said = undefined;\n      return undefined;',
    replace: 'return undefined;',
    tests: suspicion,
  },
  {
    name: 'a few are suspicious, too',
    file: `${product}/podspec/absence/suspicion.ts`,
    search: 'const few = 3;',
    replace: 'const few = 2;',
    tests: suspicion,
  },
  {
    name: 'few are more than they are',
    file: `${product}/podspec/absence/suspicion.ts`,
    search: 'const few = 3;',
    replace: 'const few = 4;',
    tests: suspicion,
  },
  {
    name: 'a suspicion ends one listing too early',
    file: `${product}/podspec/absence/suspicion.ts`,
    search: 'return remainingMs > 0 ?',
    replace: 'return remainingMs > mostPerListingMs ?',
    tests: suspicion,
  },
  {
    name: 'exactly the allowed part is suspicious',
    file: `${product}/podspec/absence/suspicion.ts`,
    search: 'candidates <= total * this.#maxFraction',
    replace: 'candidates < total * this.#maxFraction',
    tests: suspicion,
  },
  {
    name: 'a candidate of the sweep stays one although a listing has found its pod',
    file: `${product}/podspec/absence/sightings.ts`,
    search: 'this.#dueMs = next;',
    replace: 'this.#dueMs = new Map([...this.#dueMs, ...next]);',
    tests: sweeper,
  },
  {
    name: 'what is held back is removed all the same',
    file: `${product}/podspec/absence/sightings.ts`,
    search: '{ due: new Map(), heldBack }',
    replace: '{ due, heldBack }',
    tests: sweeper,
  },

  // What is asked of the cluster.
  {
    name: 'who answers is not asked again after a live read',
    file: `${pods}/instances/gone-pods.ts`,
    search: "    if (!(await confirmCluster(signal))) return 'otherCluster';\n    return items",
    replace: '    return items',
    tests: [`${pods}/instances/gone-pods.test.ts`],
  },
  {
    name: 'who answers is not asked before a live read',
    file: `${pods}/instances/gone-pods.ts`,
    search: "    if (!(await confirmCluster(signal))) return 'otherCluster';\n    const fieldSelector",
    replace: '    const fieldSelector',
    tests: [`${pods}/instances/gone-pods.test.ts`],
  },
  {
    name: 'another pod of the same name is taken for the one that is gone',
    file: `${pods}/instances/gone-pods.ts`,
    search: 'items.some((pod) => uidOf(pod) === uid)',
    replace: 'items.length > 0',
    tests: core,
  },
  {
    name: 'who answers is not asked after a list',
    file: `${kube}/informer/reflector.ts`,
    search: '    await this.#confirmCluster(signal);\n    this.#replace(objects, resourceVersion);',
    replace: '    this.#replace(objects, resourceVersion);',
    tests: informer,
  },
  {
    name: 'who answers is not asked at the beginning of a watch',
    file: `${kube}/informer/reflector.ts`,
    search: 'if (events === 0) await this.#confirmCluster(signal);',
    replace: '',
    tests: informer,
  },
  {
    name: 'a watch that has told nothing goes on where it was',
    file: `${kube}/informer/reflector.ts`,
    search: 'if (events === 0 || now - this.#listedMs >= relistMs)',
    replace: 'if (now - this.#listedMs >= relistMs)',
    tests: informer,
  },
  {
    name: 'a list is believed for ever as long as watches follow it',
    file: `${kube}/informer/reflector.ts`,
    search: 'if (events === 0 || now - this.#listedMs >= relistMs)',
    replace: 'if (events === 0)',
    tests: informer,
  },
  {
    name: 'a version that a restored etcd gives again is taken for the state that had it before',
    file: `${kube}/informer/history.ts`,
    search: "return by === 'watch' || isSameJson(old, object);",
    replace: 'return isSameJson(by, by);',
    tests: [`${kube}/informer/history.test.ts`],
  },
  {
    name: 'a new list makes nobody look again',
    file: `${pods}/pod-controller.ts`,
    search: 'for (const actor of registry.actors()) turns.add(actor);',
    replace: '',
    tests: core,
  },
  {
    name: 'answers to writes outlive a new list',
    file: `${pods}/status/status-writer.ts`,
    search: 'this.#answers.clear();',
    replace: '',
    tests: writer,
  },
  {
    name: 'a status is refused when it is the pod that is not found',
    file: `${pods}/status/status-writer.ts`,
    search: "isAboutTheStatus(error) && !isOfAnother(error) ? 'refused'",
    replace: "isAboutTheStatus(error) ? 'refused'",
    tests: writer,
  },
  {
    name: 'the end of a pod that another has replaced goes to the other',
    file: `${pods}/status/status-patch.ts`,
    search: 'return { metadata: { uid, ...version',
    replace: 'return { metadata: { uid: undefined, ...version',
    tests: patch,
  },
  {
    name: 'the phase of a pod that has ended is judged anew',
    file: `${pods}/status/status-patch.ts`,
    search: 'if (isTerminalPhase(current.phase) && wanted.phase !== current.phase) return undefined;',
    replace: '',
    tests: patch,
  },
  {
    name: 'what we wrote ourselves is written again until the watch shows it',
    file: `${pods}/status/status-writer.ts`,
    search: 'if (this.#options.live(uid) !== undefined) this.#answers.set(uid, answer);',
    replace: '',
    tests: writer,
  },
  {
    name: 'a pod is deleted by its name, whoever has it now',
    file: `${pods}/operations.ts`,
    search: '{ gracePeriodSeconds: 0, preconditions: { uid }, signal }',
    replace: '{ gracePeriodSeconds: 0, signal }',
    tests: operations,
  },
  {
    name: 'a pod that is gone already cannot be deleted',
    file: `${pods}/operations.ts`,
    search: 'if (isNotFound(error) || isConflict(error)) return this.#confirmGone(ref, signal);',
    replace: '',
    tests: operations,
  },
  {
    name: 'whoever does not find a pod that is to be deleted is believed',
    file: `${pods}/operations.ts`,
    search: 'if (isNotFound(error) || isConflict(error)) return this.#confirmGone(ref, signal);',
    replace: 'if (isNotFound(error) || isConflict(error)) return ok;',
    tests: operations,
  },
  {
    name: 'an exception in the step of one pod keeps the others from theirs',
    file: `${pods}/run-queue.ts`,
    search: 'this.#onError(error);',
    replace: 'throw error;',
    tests: [`${pods}/run-queue.test.ts`],
  },
  {
    name: 'an exception of who follows an informer ends its watch',
    file: `${kube}/informer/informer.ts`,
    search: 'this.#logger.error({ err: error }, `a handler of the informer for ${this.#options.type.plural} failed`);',
    replace: 'throw error;',
    tests: informer,
  },

  // What a pod may cost.
  {
    name: 'every instance that changes makes every pod be looked at',
    file: `${pods}/registry.ts`,
    search: 'this.apply(ref.uid, (known) => instanceSeen(known, instance));',
    replace:
      'for (const [uid, actor] of this.#actors) actor.apply((known) => (uid === ref.uid ? instanceSeen(known, instance) : { ...known }));',
    tests: core,
  },
  {
    name: 'each pod that runs asks for listings of the backend',
    file: `${pods}/actor.ts`,
    search: 'if (decision.needsListing) listings.request();',
    replace: 'listings.request();',
    tests: core,
  },
  {
    name: 'statuses that are in the cluster are written again and again',
    file: `${pods}/status/status-patch.ts`,
    search: 'if (Object.keys(patch).length === 0 && changed === undefined) return undefined;',
    replace: '',
    tests: [...writer, ...core],
  },

  // Who leads.
  {
    name: 'whoever leads no more may still change instances',
    file: `${product}/pool/guarded-backend.ts`,
    search: "  'list',\n",
    replace: "  'list',\n  'update',\n",
    tests: [`${product}/pool/guarded-backend.test.ts`],
  },
  {
    name: 'whoever leads no more may still create instances',
    file: `${product}/pool/guarded-backend.ts`,
    search: "  'list',\n",
    replace: "  'list',\n  'create',\n",
    tests: [`${product}/pool/guarded-backend.test.ts`],
  },
  {
    name: 'the backend in another cluster asks who leads once for a whole call',
    file: `${product}/backends/kubernetes/make-kubernetes.ts`,
    search: 'new KubeClient({ config, beforeSend, logger })',
    replace: 'new KubeClient({ config, logger })',
    tests: [`${product}/backends/kubernetes/make-kubernetes.test.ts`],
  },
  {
    name: 'who leads is asked before the first attempt at a request only',
    file: `${kube}/transport/call.ts`,
    search: '      this.#askBeforeSending();',
    replace: '      if (attempt === 1) this.#askBeforeSending();',
    tests: [`${kube}/transport/client.test.ts`],
  },
  {
    name: 'a leader whose machine slept goes on leading',
    file: `${kube}/leader/tenure.ts`,
    search: 'Math.max(now.monotonic - this.#renewed.monotonic, now.wall - this.#renewed.wall)',
    replace: 'now.monotonic - this.#renewed.monotonic',
    tests: election,
  },
  {
    name: 'a renewal counts from its answer',
    file: `${kube}/leader/leader-election.ts`,
    search: 'tenure.renewed(at);',
    replace: 'tenure.renewed(readClocks(this.#clocks));\n        void at;',
    tests: election,
  },
  {
    name: 'a leader that did not look at the clock goes on leading',
    file: `${kube}/leader/tenure.ts`,
    search: '  check(): void {\n    if (this.leftMs <= 0)',
    replace: '  check(): void {\n    if (this.leftMs < -1e9)',
    tests: election,
  },
  {
    name: 'a lease that vanished is free at once',
    file: `${kube}/leader/election.ts`,
    search: 'if (seen.vanished) return Math.max(0,',
    replace: 'if (seen.vanished) return Math.min(0,',
    tests: election,
  },
];
