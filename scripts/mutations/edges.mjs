// Who may do what, what strangers may cost, and what others may say about our time and our objects.

const product = 'packages/spillway/src';
const kube = 'packages/kube/src';
const ledger = [`${product}/ledger/ledger-writer.test.ts`];
const intervals = [`${product}/ledger/ledger.test.ts`];
const access = [`${product}/kubelet/auth/access-control.test.ts`];
const strangers = [`${product}/https/strangers.test.ts`];
const rbac = [`${product}/addon/rbac.test.ts`];
const admission = [`${product}/admission/server.test.ts`];
const binder = [`${product}/placement/binder/binder.test.ts`];

/** @type {readonly import('./mutations.mjs').Mutation[]} */
export const edges = [
  // The ledger.
  {
    name: 'a ledger that cannot be written forgets ends when too many wait',
    file: `${product}/ledger/ledger-writer.ts`,
    search: 'if (end === undefined) this.#waiting.delete(key);',
    replace: 'if (end !== undefined || true) this.#waiting.delete(key);',
    tests: ledger,
  },
  {
    name: 'an older state of an interval replaces a newer one that waits for the ledger',
    file: `${product}/ledger/ledger-writer.ts`,
    search: 'this.write(since.values());',
    replace: 'this.#waiting = new Map([...since, ...batch]);',
    tests: ledger,
  },
  {
    name: 'what is not on the disk counts as written to the ledger',
    file: `${product}/ledger/ledger-writer.ts`,
    search: 'await handle.datasync();',
    replace: '',
    tests: ledger,
  },

  {
    name: 'the bill begins with the containers of the pod, and not with those that were added',
    file: `${product}/ledger/ledger.ts`,
    search: '[...addedContainerStatuses, ...initContainerStatuses,',
    replace: '[...addedContainerStatuses.slice(1), ...initContainerStatuses,',
    tests: intervals,
  },

  // Rights.
  {
    name: 'the admission policy does not cover statuses of pods',
    file: `${product}/addon/pod-write-policy.ts`,
    search: "policy(options, 'pod-status-writes', 'UPDATE', 'pods/status', statusValidations(nodeNames)),",
    replace: '',
    tests: rbac,
  },
  {
    name: 'the admission policy does not cover deletions of pods',
    file: `${product}/addon/pod-write-policy.ts`,
    search: "policy(options, 'pod-deletions', 'DELETE', 'pods', deletionValidations(nodeNames)),",
    replace: '',
    tests: rbac,
  },
  {
    name: 'the controller may delete pods of any node',
    file: `${product}/addon/pod-write-policy.ts`,
    search: `      expression: \`\${nodeName} in \${JSON.stringify(nodeNames)}\`,
      message: 'Spillway may delete pods of its virtual nodes only',`,
    replace: `      expression: 'true',
      message: 'Spillway may delete pods of its virtual nodes only',`,
    tests: rbac,
  },

  // Strangers.
  {
    name: 'tokens that nobody knows are asked about without a limit',
    file: `${product}/kubelet/auth/access-control.ts`,
    search: 'if (known) return this.#tokenReview',
    replace: 'if (known || !known) return this.#tokenReview',
    tests: access,
  },
  {
    name: 'people who are known share their limit with strangers',
    file: `${product}/kubelet/auth/access-control.ts`,
    search: 'if (known) return this.#tokenReview',
    replace: 'if (known && !known) return this.#tokenReview',
    tests: access,
  },
  {
    name: 'one address may use up what all strangers may ask',
    file: `${product}/kubelet/auth/stranger-questions.ts`,
    search: 'if (own.underWay >= perAddress.underWay || this.#all',
    replace: 'if (this.#all',
    tests: access,
  },
  {
    name: 'a stranger may send as much as somebody who has logged in',
    file: `${product}/https/strangers.ts`,
    search: 'else if (seen > bytes) socket.destroy();',
    replace: '',
    tests: strangers,
  },
  {
    name: 'a stranger may hold a connection open as long as it sends a little',
    file: `${product}/https/strangers.ts`,
    search: 'openMs === undefined ? undefined : setTimeout(',
    replace: 'openMs === undefined || openMs > 0 ? undefined : setTimeout(',
    tests: strangers,
  },
  {
    name: 'connections of strangers are not bounded',
    file: `${product}/https/strangers.ts`,
    search: 'if (siblings.size > perAddress) this.#closeQuietest(siblings);',
    replace: 'if (siblings.size < 0) this.#closeQuietest(siblings);',
    tests: strangers,
  },
  {
    name: 'those who have logged in still count as strangers',
    file: `${product}/https/strangers.ts`,
    search: 'if (connection !== undefined) this.#forget(connection);',
    replace: '',
    tests: strangers,
  },
  {
    name: 'a connection stays open after the answer that one has to log in',
    file: `${product}/kubelet/server.ts`,
    search: 'problem.status === 401 || this.#strangers.has(request.socket)',
    replace: 'problem.status === 0',
    tests: [`${product}/kubelet/server.test.ts`],
  },
  {
    name: 'headers may be as long as a client likes',
    file: `${product}/kubelet/server.ts`,
    search: 'maxHeaderSize: this.#limits.maxHeaderBytes,',
    replace: 'maxHeaderSize: 16 * this.#limits.maxHeaderBytes,',
    tests: [`${product}/kubelet/server.test.ts`],
  },
  {
    name: 'admission holds as many bodies as are sent',
    file: `${product}/admission/body-room.ts`,
    search: 'if (bytes > 0 && (own > maxBytesAtOnce / 2 || this.#taken + bytes > maxBytesAtOnce)) {',
    replace: 'if (bytes < 0 && own < 0) {',
    tests: admission,
  },
  {
    name: 'large admission requests are parsed where everything else waits',
    file: `${product}/admission/server.ts`,
    search: 'body.length > smallBytes ? this.#large.slim(body, late) :',
    replace: 'body.length < 0 ? this.#large.slim(body, late) :',
    tests: admission,
  },
  {
    name: 'webhooks answer whoever has no certificate although they were told to ask for one',
    file: `${product}/admission/server.ts`,
    search: 'rejectUnauthorized: clientCa !== undefined,',
    replace: 'rejectUnauthorized: false,',
    tests: admission,
  },

  // What others say.
  {
    name: 'a server may make us wait for a day',
    file: `${kube}/errors.ts`,
    search: 'Math.min(ms, longestRetryAfterMs)',
    replace: 'ms',
    tests: [`${kube}/transport/retry.test.ts`, `${kube}/transport/response.test.ts`],
  },
  {
    name: 'one pod without a list of containers makes all others unreadable',
    file: `${product}/backends/kubernetes/pods/observe.ts`,
    search: "return Array.isArray(list) ? list.filter((each) => typeof each === 'object' && each !== null) : [];",
    replace: 'return list ?? [];',
    tests: [`${product}/backends/kubernetes/pods/observe.test.ts`],
  },
  {
    name: 'an answer that is no list is an empty one',
    file: `${kube}/resources/believe.ts`,
    search: 'if (!isRecord(answer) || (items !== null && !Array.isArray(items))) {',
    replace: 'if (!isRecord(answer)) {',
    tests: [`${kube}/resources/resource-client.test.ts`],
  },
  {
    name: 'a failure that says 200 is a success',
    file: `${kube}/resources/believe.ts`,
    search: "if (isRecord(answer) && answer['kind'] === 'Status' && answer['status'] === 'Failure') {",
    replace: "if (isRecord(answer) && answer['kind'] === 'Nothing') {",
    tests: [`${kube}/resources/resource-client.test.ts`],
  },
  {
    name: 'an image is changed by a request that says nothing of it in the marks',
    file: `${product}/backends/kubernetes/changes/change-pod.ts`,
    search: "'image-change-unsupported', change.spec, marks()",
    replace: "'image-change-unsupported', change.spec, { labels: {} }",
    tests: [`${product}/backends/kubernetes/changes/change-pod.test.ts`],
  },
  {
    name: 'whatever was not found is the namespace',
    file: `${product}/backends/kubernetes/pods/creation.ts`,
    search: "(details?.kind ?? 'namespaces') === 'namespaces'",
    replace: 'details !== null',
    tests: [`${product}/backends/kubernetes/pods/creation.test.ts`],
  },
  {
    name: 'a kubeconfig whose token was refused is not read again',
    file: `${kube}/config/credentials.ts`,
    search: 'if (generation === latest?.generation) readAt = Number.NEGATIVE_INFINITY;',
    replace: '',
    tests: [`${kube}/config/credentials.test.ts`, `${kube}/config/kubeconfig.test.ts`],
  },

  // Workloads.
  {
    name: 'an update of a workload is refused for what was there before',
    file: `${product}/admission/advise.ts`,
    search: 'broughtIn(refusedByAll(answers), refusedBefore(subject, ask))',
    replace: 'broughtIn(refusedByAll(answers), new Map())',
    tests: [`${product}/admission/advise.test.ts`],
  },
  {
    name: 'the place of a pod that the scheduler was faster to bind stays taken',
    file: `${product}/placement/binder/binder.ts`,
    search: 'this.#capacity.release(uid);\n      if (isFreed)',
    replace: 'false;\n      if (isFreed)',
    tests: binder,
  },
  {
    name: 'a pod is taken back although it has found room meanwhile',
    file: `${product}/placement/give-back/reclaimer.ts`,
    search: 'const preconditions = { uid, resourceVersion: metadata?.resourceVersion };',
    replace: 'const preconditions = { uid };\n    void metadata;',
    tests: [`${product}/placement/give-back/reclaimer.test.ts`],
  },
  {
    name: 'a login stays on the backend when the last pod that needs it has gone',
    file: `${product}/backends/cci/images/pull-secret.ts`,
    search: 'if (login && isNeeded(login)) own',
    replace: 'if (login) own',
    tests: [`${product}/backends/cci/images/pull-secret.test.ts`],
  },
  {
    name: 'places are given while those that the process before gave may still be on their way',
    file: `${product}/placement/profiles/settling.ts`,
    search: '!this.#begun || this.#unmarked.size > 0',
    replace: '!this.#begun',
    tests: [`${product}/placement/profiles/settling.test.ts`],
  },
  {
    name: 'a place that was given is not counted while the watch still shows the pod gated',
    file: `${product}/placement/profiles/quota-book.ts`,
    search: 'if (gated) return given ?? (member',
    replace: 'if (gated) return (member',
    tests: [`${product}/placement/profiles/quota-book.test.ts`],
  },
];
