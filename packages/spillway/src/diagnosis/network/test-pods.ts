import {
  type Clock,
  errorMessage,
  events,
  isNotFound,
  type Job,
  jobs,
  type KubeClient,
  type Pod,
  pods,
  type Service,
  services,
} from '@spillway/kube';
import { endpointsOf, nameOfTest, selectorOf, testJob, testService, type TestRun } from './objects.ts';
import { type Side, sides } from './view.ts';

const startWithinMs = 180_000;
const goneWithinMs = 60_000;
const lookMs = 500;
/** A kubelet that says this goes on trying for ever; somebody who waits wants to know. */
const hopeless: ReadonlySet<string> = new Set([
  'ErrImageNeverPull',
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'CreateContainerConfigError',
  'NotSupportedByPool',
]);

export interface TestPodsOptions {
  readonly client: KubeClient;
  readonly run: TestRun;
  readonly clock: Clock;
  readonly onProgress: (doing: string) => void;
}

type Started = { readonly pod: Pod } | { readonly notStarted: string };

/** The pods of one run, one on each side, with a Service in front of each. */
export class TestPods {
  readonly #options: TestPodsOptions;

  constructor(options: TestPodsOptions) {
    this.#options = options;
  }

  /** @throws ApiError, TransportError */
  async create(signal: AbortSignal): Promise<Readonly<Record<Side, Service>>> {
    const [cluster, burst] = await Promise.all([
      this.#createSide('cluster', signal),
      this.#createSide('burst', signal),
    ]);
    return { cluster, burst };
  }

  async #createSide(side: Side, signal: AbortSignal): Promise<Service> {
    const { client, run } = this.#options;
    const job = await client.resource(jobs).create(testJob(run, side), { signal });
    return await client.resource(services).create(testService(run, side, job), { signal });
  }

  /** The pod on a side once it is Ready, or why it does not become so. @throws ApiError, TransportError */
  async started(side: Side, signal: AbortSignal): Promise<Started> {
    const { run, clock, onProgress } = this.#options;
    const deadline = clock.now() + startWithinMs;
    let told = '';
    for (;;) {
      const pod = await this.#podOf(side, signal);
      const standing = pod === undefined ? await this.#whyNone(side, signal) : standingOf(pod);
      if (standing.kind === 'ready' && pod !== undefined) {
        const { podIP, hostIP } = pod.status ?? {};
        onProgress(`the pod on ${pod.spec?.nodeName} runs at ${podIP} (node ${hostIP})`);
        return { pod };
      }
      if (standing.kind === 'hopeless') return { notStarted: standing.why };
      if (clock.now() > deadline) return { notStarted: `${standing.why} after ${startWithinMs / 1000} s` };
      if (standing.why !== told) onProgress(`waiting for ${nameOfTest(run, side)}: ${standing.why}`);
      told = standing.why;
      await clock.sleep(lookMs, signal);
      signal.throwIfAborted();
    }
  }

  async #podOf(side: Side, signal: AbortSignal): Promise<Pod | undefined> {
    const { client, run } = this.#options;
    const labelSelector = `job-name=${nameOfTest(run, side)}`;
    return (await client.resource(pods).list({ namespace: run.namespace, labelSelector, signal })).items[0];
  }

  /** A Job says in an event why it has no pod. */
  async #whyNone(side: Side, signal: AbortSignal): Promise<Standing> {
    const { client, run } = this.#options;
    const fieldSelector = `involvedObject.kind=Job,involvedObject.name=${nameOfTest(run, side)},reason=FailedCreate`;
    const { items } = await client.resource(events).list({ namespace: run.namespace, fieldSelector, signal });
    const message = items[0]?.message;
    return message === undefined
      ? { kind: 'starting', why: 'its Job has not created it yet' }
      : { kind: 'hopeless', why: message };
  }

  /** From now on the Services have the pod behind them, or nobody. @throws ApiError, TransportError */
  async direct(to: 'pods' | 'nobody', signal: AbortSignal): Promise<void> {
    const { client, run } = this.#options;
    await Promise.all(
      sides.map((side) =>
        client
          .resource(services)
          .patch(
            { namespace: run.namespace, name: nameOfTest(run, side) },
            { type: 'merge', body: { spec: { selector: endpointsOf(run, to === 'pods' ? side : 'none') } } },
            { signal },
          ),
      ),
    );
  }

  /** Resolves when the pods are gone, or with what may be left and how to remove it. */
  async remove(): Promise<string | undefined> {
    const { client, run, clock } = this.#options;
    const { namespace } = run;
    const labelSelector = selectorOf(run);
    const gone = AbortSignal.timeout(goneWithinMs);
    const byHand = `kubectl delete jobs,pods,services -n ${namespace} -l ${labelSelector}`;
    try {
      // Jobs first: they would make new pods.
      const all = { namespace, labelSelector, signal: gone };
      await client.resource<Job>(jobs).deleteCollection({ ...all, propagationPolicy: 'Background' });
      await client.resource(pods).deleteCollection({ ...all, gracePeriodSeconds: 1 });
      const left = await client.resource(services).list(all);
      await Promise.all(
        left.items.map(({ metadata }) =>
          client
            .resource(services)
            .delete({ namespace, name: metadata?.name ?? '' }, { signal: gone })
            .catch(ignoreGone),
        ),
      );
      for (;;) {
        if ((await client.resource(pods).list(all)).items.length === 0) return undefined;
        await clock.sleep(lookMs, gone);
        if (gone.aborted) return `pods are still there after ${goneWithinMs / 1000} s. Remove them: ${byHand}`;
      }
    } catch (error) {
      return `${errorMessage(error)}. Remove them: ${byHand}`;
    }
  }
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error)) throw error;
}

type Standing =
  | { readonly kind: 'ready'; readonly why: '' }
  | { readonly kind: 'starting' | 'hopeless'; readonly why: string };

function standingOf({ status }: Pod): Standing {
  const condition = (type: string): { status?: string; message?: string } =>
    status?.conditions?.find((each) => each.type === type) ?? {};
  if (condition('Ready').status === 'True' && status?.podIP) return { kind: 'ready', why: '' };
  const { waiting, terminated } = status?.containerStatuses?.[0]?.state ?? {};
  if (status?.phase === 'Failed' || terminated !== undefined) {
    const why = terminated?.message ?? terminated?.reason ?? status?.message ?? 'no reason given';
    return { kind: 'hopeless', why: `it has ended: ${why}` };
  }
  if (waiting?.reason !== undefined) {
    const why = waiting.message === undefined ? waiting.reason : `${waiting.reason}: ${waiting.message}`;
    return { kind: hopeless.has(waiting.reason) ? 'hopeless' : 'starting', why };
  }
  const scheduled = condition('PodScheduled');
  return {
    kind: 'starting',
    why: scheduled.status === 'False' ? (scheduled.message ?? 'no node has room') : 'not Ready',
  };
}
