import { ApiError, nameOf, type Pod, TransportError } from '@spillway/kube';
import { describe, it } from 'vitest';
import { trusted } from '../../trusted.ts';
import { type CreationContext, createPod } from './creation.ts';
import { markedRef, podMarks } from './marks.ts';
import { podName } from './names.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const ref = { namespace: 'shop', name: 'web-0', uid: 'uid-of-web' };
/** Its namespace and name run together to the same. */
const stranger = { namespace: 'shop-web', name: '0', uid: 'uid-of-another' };
/** What earlier versions called both of them. */
const plainName = 'shop-web-0';
const { signal } = new AbortController();

function podOf(whose: typeof ref, name: string): Pod {
  const { labels, annotations } = podMarks(owner, whose);
  return { metadata: { namespace: 'burst', name, labels: { ...labels }, annotations: { ...annotations } } };
}

/** What becomes of the request that creates a pod. */
const fates = ['answered', 'done, but unheard', 'late', 'late if its name is free'] as const;

/** The other cluster, and what is still on its way to it. */
class OtherCluster {
  readonly pods = new Map<string, Pod>();
  readonly late: Pod[] = [];

  get instances(): string[] {
    const all = [...this.pods.values()];
    return all.filter((pod) => markedRef(pod, owner)?.uid === ref.uid).map(nameOf);
  }

  /** As the core does it: by any process, as often as it gets no answer. */
  async ask(fate: (typeof fates)[number]): Promise<void> {
    const translation = { pod: podOf(ref, podName(ref)), copies: { configMaps: [], secrets: [], claims: [] } };
    const context = {
      pods: {
        create: async (pod: Pod) => this.#create(pod, fate),
        get: async ({ name }: { name: string }) => this.pods.get(name) ?? fails(404, 'NotFound'),
      },
      instances: { find: async () => this.pods.get(this.instances[0] ?? '') },
      copies: { with: async (_: object, work: () => Promise<void>) => work() },
      dialect: { name: 'kubernetes' },
      owner,
      namespace: 'burst',
    };
    await createPod(ref, translation, trusted<CreationContext>(context), signal).catch(() => undefined);
  }

  arrive(): void {
    const pod = this.late.shift();
    if (pod && !this.pods.has(nameOf(pod))) this.pods.set(nameOf(pod), pod);
  }

  #create(pod: Pod, fate: (typeof fates)[number]): Pod {
    const noAnswer = new TransportError('timeout', 'no answer');
    if (this.pods.has(nameOf(pod)) && fate !== 'late') fails(409, 'AlreadyExists');
    if (fate.startsWith('late')) {
      this.late.push(pod);
      throw noAnswer;
    }
    this.pods.set(nameOf(pod), pod);
    if (fate === 'done, but unheard') throw noAnswer;
    return pod;
  }
}

function fails(status: number, reason: string): never {
  throw new ApiError(reason, { status, reason });
}

type Step = readonly [name: string, run: (cluster: OtherCluster) => void | Promise<void>];

const steps: readonly Step[] = [
  ...fates.map((fate): Step => [`asked for: ${fate}`, (cluster) => cluster.ask(fate)]),
  ['what was late arrives', (cluster) => cluster.arrive()],
  [
    'another pod takes the usual name',
    ({ pods }) => void (pods.has(plainName) || pods.set(plainName, podOf(stranger, plainName))),
  ],
  ['the other pod goes', ({ pods, instances }) => void (instances.includes(plainName) || pods.delete(plainName))],
];

function named(name: string): readonly Step[] {
  return steps.filter(([each]) => each === name);
}

function* histories(length: number): Iterable<readonly Step[]> {
  if (length === 0) yield [];
  else for (const before of histories(length - 1)) for (const step of steps) yield [...before, step];
}

async function play(history: readonly Step[], cluster = new OtherCluster()): Promise<void> {
  const inTheEnd = named('asked for: answered');
  for (const [, run] of [...history, ...inTheEnd]) {
    await run(cluster);
    const { instances } = cluster;
    if (instances.length > 1) throw new Error(`two instances: ${history.map(([name]) => name).join('; ')}`);
  }
  if (cluster.instances.length === 0) throw new Error(`no instance: ${history.map(([name]) => name).join('; ')}`);
}

describe('a pod has one instance', () => {
  it('whose answers are lost, whose requests are late, and whose name is taken and free again, in any order', async () => {
    for (const history of histories(5)) await play(history);
  });

  it('when an earlier version has made it, under another name', async () => {
    for (const history of histories(4)) {
      const cluster = new OtherCluster();
      cluster.pods.set(plainName, podOf(ref, plainName));
      await play(history, cluster);
    }
  });

  it('when its former name was taken, the answer was lost, that name is free again, and then the late request lands', async () => {
    await play([
      ...named('another pod takes the usual name'),
      ...named('asked for: late if its name is free'),
      ...named('the other pod goes'),
      ...named('asked for: answered'),
      ...named('what was late arrives'),
    ]);
  });
});
