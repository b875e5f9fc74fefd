// The agent in burst pods, and its server.

const agent = 'packages/link-agent/src';
const server = 'packages/spillway/src/link';
const forwarder = [`${agent}/forward/forwarder.test.ts`];
const resolver = [`${agent}/dns/resolver.test.ts`];
const sessions = [`${server}/session.test.ts`];
const network = 'packages/spillway/src/diagnosis/network';

/** @type {readonly import('./mutations.mjs').Mutation[]} */
export const link = [
  {
    name: 'what is not known is called a name that does not exist',
    file: `${agent}/dns/resolver.ts`,
    search: "if (service === undefined) return { rcode: 'SERVFAIL', answers: [] };",
    replace: "if (service === undefined) return this.#nothing('NXDOMAIN');",
    tests: resolver,
  },
  {
    name: 'endpoints that are going have names',
    file: `${agent}/dns/records.ts`,
    search: 'if (draining === true || ',
    replace: 'if (',
    tests: resolver,
  },
  {
    name: 'connections go to endpoints that are going, although others are ready',
    file: `${agent}/forward/targets.ts`,
    search: 'return ready.length > 0 ? ready : draining;',
    replace: 'return [...ready, ...draining];',
    tests: forwarder,
  },
  {
    name: 'a connection fails with the first endpoint that does not answer',
    file: `${agent}/forward/tcp-port.ts`,
    search: 'const attempts = 3;',
    replace: 'const attempts = 1;',
    tests: forwarder,
  },
  {
    name: 'a Service without endpoints accepts connections',
    file: `${agent}/forward/forwarder.ts`,
    search: 'if (!reached.contested && !open.chooser.isEmpty) continue;',
    replace: 'if (!reached.contested) continue;',
    tests: forwarder,
  },
  {
    name: 'the agent listens at a port of the pod itself',
    file: `${agent}/forward/forwarder.ts`,
    search: 'if (ownPorts.has(portKey(port))) throw',
    replace: 'if (ownPorts.has(portKey(port)) && port.port === 0) throw',
    tests: forwarder,
  },
  {
    name: 'a name that is in use is forgotten',
    file: `${agent}/services/book.ts`,
    search: 'if (now - usedMs > kept && !this.#options.isInUse(key)) this.#forget(key);',
    replace: 'if (now - usedMs > kept) this.#forget(key);',
    tests: [`${agent}/services/book.test.ts`],
  },
  {
    name: 'names are forgotten while nobody could tell them again',
    file: `${agent}/services/book.ts`,
    search: 'if (!this.#options.isLinked()) return;',
    replace: '',
    tests: [`${agent}/services/book.test.ts`],
  },
  {
    name: 'a buffer is filled again while it is being sent',
    file: `${agent}/forward/carrier.ts`,
    search: 'this.#isWaiting = to.writableLength > 0;',
    replace: 'this.#isWaiting = false;',
    tests: forwarder,
  },
  {
    name: 'a Service is called absent before all are known',
    file: `${server}/session.ts`,
    search: 'if (!catalogue.hasSynced) return;',
    replace: '',
    tests: sessions,
  },
  {
    name: 'an agent that does not read fills the memory of the server',
    file: `${server}/session.ts`,
    search: 'if (outlet.bufferedBytes > maxBufferedBytes) return;',
    replace: '',
    tests: sessions,
  },
  {
    name: 'an agent may follow any number of Services',
    file: `${server}/session.ts`,
    search: 'if (this.#followed.size >= maxFollowed) {',
    replace: 'if (this.#followed.size < 0) {',
    tests: sessions,
  },
  {
    name: 'strangers make the API server review any number of tokens',
    file: `${server}/access.ts`,
    search: 'const asked = await this.#strangers.ask(address, () => this.#options.review(token));',
    replace: 'const asked = { answer: await this.#options.review(token) };',
    tests: [`${server}/access.test.ts`],
  },
  {
    name: 'a pod has several streams',
    file: `${server}/link-server.ts`,
    search: "if (former) this.#sockets.get(former)?.close(1008, 'the pod has another stream');",
    replace: 'void former;',
    tests: [`${server}/link-server.test.ts`],
  },
  {
    name: 'the agent is shown among the containers of a pod',
    file: 'packages/spillway/src/backends/kubernetes/fields/hosts-file.ts',
    search: 'return name !== hostsContainer && name !== agentContainer;',
    replace: 'return name !== hostsContainer;',
    tests: ['packages/spillway/src/backends/kubernetes/fields/hosts-file.test.ts'],
  },
  {
    name: 'doctor network gives each failed check a reason of its own',
    file: `${network}/judge.ts`,
    search: 'restsOn[check].find(failed) ?? check',
    replace: 'check',
    tests: [`${network}/judge.test.ts`],
  },
  {
    name: 'doctor network says nothing of a pod that it could not ask',
    file: `${network}/judge.ts`,
    search: 'if (view?.notAsked !== undefined) {',
    replace: 'if (view?.notAsked === null) {',
    tests: [`${network}/judge.test.ts`],
  },
  {
    name: 'doctor network takes whoever answers for the pod on the other side',
    file: `${network}/probe.ts`,
    search: 'if (text === expect) return text;',
    replace: "if (text !== '') return text;",
    tests: [`${network}/probe.test.ts`],
  },
  {
    name: 'doctor network takes a transfer that was changed on its way for a good one',
    file: `${network}/probe.ts`,
    search: 'if (!says.equals(hash.digest()))',
    replace: 'if (says.length === 0)',
    tests: [`${network}/probe.test.ts`],
  },
];
