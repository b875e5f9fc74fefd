import { containersOf } from '../../../podspec/containers.ts';
import type { Notice } from '../../../podspec/notice.ts';
import { BackendError, type Instance, type InstanceChange, type InstanceRef, type Workload } from '../../backend.ts';
import { changeWorkload } from '../../change-workload.ts';
import { isUnavailable } from '../client/errors.ts';
import { Announcements } from './announcements.ts';
import { grow } from '../../restart-backoff.ts';
import { obsoleteContainers, startContainer, stopContainers } from './container-steps.ts';
import type { PodContext } from './context.ts';
import { type Decision, decide, type StartStep } from './decide.ts';
import { Loop } from './loop.ts';
import { observePod, signatureOf } from './observe.ts';
import { isAlive, latestSandbox, nothingObserved, type ObservedPod } from './observed.ts';
import { type Failure, type Intent, planOf, type PodPlan } from './plan.ts';
import { createSandbox, destroy, stopSandbox } from './sandbox-steps.ts';
import { instanceOf, type StatusInput } from './status.ts';
import { StepError } from './step-error.ts';
import { terminationMessage } from './termination-message.ts';
import { PodVolumes } from '../volumes/pod-volumes.ts';

const retryMs = 10_000;
/** Key of failures that are the pod's, not a container's. */
const podItself = '';

/**
 * Brings one pod where it belongs: observes, lets `decide` say the next step, does it, and so on until there is nothing to do.
 * Everything that it must not forget is in the store before it acts, so that another process can go on at any point.
 */
export class PodRunner {
  readonly ref: InstanceRef;
  #workload: Workload;
  readonly #context: PodContext;
  readonly #plan: PodPlan;
  readonly #loop: Loop;
  readonly #announcements: Announcements;
  readonly #failures = new Map<string, Failure & { readonly delayMs: number }>();
  /** By container id. */
  readonly #terminationMessages = new Map<string, string>();
  /** Volumes that are to get other files, between two steps. */
  readonly #changes: { readonly change: InstanceChange; readonly done: PromiseWithResolvers<void> }[] = [];
  #intent: Intent;
  #observed: ObservedPod = nothingObserved;
  /** Set when the runtime may know more than we do. */
  #stale = true;
  #looked = Promise.withResolvers<void>();
  #removal: PromiseWithResolvers<void> | undefined;
  readonly #gone = Promise.withResolvers<void>();
  #isGone = false;
  #published = '';
  #write: Promise<void> = Promise.resolve();

  constructor(context: PodContext, workload: Workload, intent: Intent) {
    this.#context = context;
    this.ref = workload.ref;
    this.#workload = workload;
    this.#plan = planOf(workload.pod);
    this.#intent = intent;
    this.#announcements = new Announcements(workload.pod, workload.ref, (notice) => this.notify(notice));
    this.#loop = new Loop((signal) => this.#turn(signal), context.clock);
  }

  get workload(): Workload {
    return this.#workload;
  }

  get instance(): Instance {
    return instanceOf(this.#situation());
  }

  get observed(): ObservedPod {
    return this.#observed;
  }

  /** Resolves once everything of the instance was taken away. */
  get whenGone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Looks at the situation, soon. */
  wake(): void {
    this.#loop.wake();
  }

  notify(notice: Notice): void {
    this.#context.hub.notice(this.ref, notice);
  }

  /** Asks the runtime and goes on from there. Resolves when it was asked, at once while a step is under way. */
  async refresh(): Promise<void> {
    const { busy } = this.#loop;
    this.#stale = true;
    this.#loop.wake();
    if (!busy) await this.#looked.promise;
  }

  /** The runtime says that something happened. What we did ourselves is known. */
  happened(): void {
    if (this.#loop.busy) return;
    this.#stale = true;
    this.#loop.wake();
  }

  /**
   * What a listing of all pods says of this one: refreshes when it says something else than we know. While a step is under
   * way the listing is of no use, because the step changes what it shows.
   */
  async compare(signature: string): Promise<void> {
    if (this.#loop.busy) return;
    const { sandboxes, containers } = this.#observed;
    if (this.#stale || signature !== signatureOf(sandboxes, containers)) await this.refresh();
  }

  /** The grace can only become shorter. */
  async stop(graceSeconds: number): Promise<void> {
    const stopBy = this.#context.clock.now() + graceSeconds * 1000;
    if (this.#intent.stopBy !== undefined && this.#intent.stopBy <= stopBy) return;
    await this.#change({ stopBy });
    this.#loop.interrupt(new BackendError('unavailable', 'the pod is being stopped'));
  }

  /** Gives volumes other files and registries other logins, when the step under way is done. Settles when they are written, at once when nothing is left. */
  async update(change: InstanceChange): Promise<void> {
    if (this.#isGone || this.#intent.removing) return;
    const done = Promise.withResolvers<void>();
    this.#changes.push({ change, done });
    this.#loop.wake();
    await done.promise;
  }

  /** Ends what still runs and takes everything away; settles when that is done, or when it failed. */
  async remove(): Promise<void> {
    if (this.#isGone) return;
    this.#removal ??= Promise.withResolvers();
    const { promise } = this.#removal;
    if (!this.#intent.removing) await this.#change({ removing: true, stopBy: this.#context.clock.now() });
    this.#stale = true;
    this.#loop.interrupt(new BackendError('unavailable', 'the pod is being removed'));
    await promise;
  }

  /** Stops working; the pod goes on. Settles when nothing of this runner runs any more. */
  async close(): Promise<void> {
    const reason = new BackendError('unavailable', 'the backend was closed');
    await this.#loop.close(reason);
    for (const { done } of this.#changes.splice(0)) done.reject(reason);
    this.#removal?.reject(reason);
    this.#looked.resolve();
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#isGone) return;
    await this.#changeWorkload();
    try {
      if (this.#stale) await this.#look();
      const situation = this.#situation();
      const decision = decide(situation);
      this.#announcements.waiting(situation);
      this.#publish();
      await this.#perform(decision, signal);
    } catch (error) {
      this.#recover(error, signal);
    }
    this.#looked.resolve();
    if (!this.#isGone) this.#publish();
  }

  /** Stored before it is written: what is started after this process sees it, too. */
  async #changeWorkload(): Promise<void> {
    const { store } = this.#context;
    for (const { change, done } of this.#changes.splice(0)) {
      try {
        if (!this.#intent.removing) {
          const workload = changeWorkload(this.#workload, change);
          await store.writeWorkload(workload);
          this.#workload = workload;
          await new PodVolumes(store.directoryOf(this.ref.uid)).update(workload, change.volumes.keys());
        }
        done.resolve();
      } catch (error) {
        done.reject(error);
      }
    }
  }

  async #look(): Promise<void> {
    const { calls, owner } = this.#context;
    this.#observed = await observePod(calls, owner, this.ref.uid, this.#observed);
    this.#stale = false;
    await this.#readLastWords();
    this.#looked.resolve();
    this.#looked = Promise.withResolvers();
  }

  async #perform(decision: Decision, signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    switch (decision.step) {
      case 'wait':
        if (decision.until !== undefined) this.#loop.wakeAt(decision.until);
        return;
      case 'ended':
        return;
      case 'destroy':
        return await this.#destroy();
      case 'expire': {
        const { stopBy, reason, message } = decision;
        this.notify({ severity: 'Normal', reason, message });
        await this.#change({ stopBy, outcome: { reason, message } });
        break;
      }
      case 'createSandbox':
        await this.#createSandbox(decision.attempt);
        break;
      case 'start':
        await this.#start(decision.start, signal);
        break;
      case 'stopContainers':
        this.#stale = true;
        this.#announcements.killing(decision.containers);
        await stopContainers(this.#context, decision.containers, (decision.stopBy - clock.now()) / 1000, signal);
        break;
      case 'stopSandbox':
        this.#stale = true;
        await stopSandbox(this.#context, decision.sandboxId);
        break;
    }
    this.#loop.wake();
  }

  async #createSandbox(attempt: number): Promise<void> {
    if (attempt > 0) {
      const message = 'Pod sandbox changed, it will be killed and re-created.';
      this.notify({ severity: 'Normal', reason: 'SandboxChanged', message });
    }
    await this.#attempt(podItself, undefined, async () => {
      const { sandbox, podIPs } = await createSandbox(this.#context, this.workload, attempt, this.#observed);
      const earlier = this.#observed.sandboxes.map((each) => ({ ...each, ready: false }));
      this.#observed = { ...this.#observed, sandboxes: [...earlier, sandbox] };
      // What did not work in another sandbox says nothing of this one.
      this.#failures.clear();
      await this.#change({ podIPs });
    });
  }

  async #start(step: StartStep, signal: AbortSignal): Promise<void> {
    const target = containersOf(this.workload.pod).find(({ container }) => container.name === step.name);
    const sandbox = latestSandbox(this.#observed);
    if (!target || !sandbox) throw new BackendError('internal', `no container ${step.name} to start`);
    await this.#attempt(step.name, target.fieldPath, async () => {
      const { workload } = this;
      const { podIPs } = this.#intent;
      const notify = (notice: Notice): void => this.notify(notice);
      const started = await startContainer(this.#context, { workload, target, step, sandbox, podIPs, notify }, signal);
      const others = this.#observed.containers.filter(({ id }) => id !== started.id && id !== step.discardId);
      this.#observed = { ...this.#observed, containers: [...others, started] };
    });
    await this.#forget(step.name);
  }

  /** A failure of the step is remembered, with the time of the next try; everything else passes through. */
  async #attempt(key: string, fieldPath: string | undefined, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#failures.delete(key);
    } catch (error) {
      // It may have got half of the way.
      this.#stale = true;
      if (!(error instanceof StepError)) throw error;
      const { reason, message, backoff, notices } = error;
      const at = this.#context.clock.now();
      const delayMs = backoff ? grow(this.#failures.get(key)?.delayMs ?? 0) : (error.retryMs ?? retryMs);
      this.#failures.set(key, { at, retryAt: at + delayMs, delayMs, reason, message, ...(backoff && { backoff }) });
      for (const notice of notices) this.notify({ ...notice, ...(fieldPath !== undefined && { fieldPath }) });
      this.#context.logger.warn({ uid: this.ref.uid, container: key, reason, err: error.cause ?? error }, message);
    }
  }

  /** Earlier attempts that nobody can ask about any more. */
  async #forget(name: string): Promise<void> {
    for (const { id } of obsoleteContainers(this.#observed, name)) {
      await this.#context.calls.RemoveContainer({ containerId: id });
      this.#terminationMessages.delete(id);
      this.#stale = true;
    }
  }

  async #destroy(): Promise<void> {
    this.#announcements.killing(this.#observed.containers.filter(isAlive));
    await destroy(this.#context, this.workload, this.#observed);
    this.#isGone = true;
    this.#context.logger.info({ uid: this.ref.uid }, 'instance removed');
    this.#context.hub.gone(this.ref);
    for (const { done } of this.#changes.splice(0)) done.resolve();
    this.#gone.resolve();
    this.#removal?.resolve();
  }

  /** What failed is not lost: the next turn looks again, when the runtime is back or a while later. */
  #recover(error: unknown, signal: AbortSignal): void {
    this.#stale = true;
    if (signal.aborted) return;
    const { logger, clock } = this.#context;
    if (!isUnavailable(error)) {
      logger.error({ uid: this.ref.uid, err: error }, 'a step of a pod failed; trying again');
      this.#loop.wakeAt(clock.now() + retryMs);
    }
    this.#removal?.reject(error);
    this.#removal = undefined;
  }

  async #readLastWords(): Promise<void> {
    const { store } = this.#context;
    const folders = { podDirectory: store.directoryOf(this.ref.uid), logDirectory: store.logDirectoryOf(this.ref) };
    for (const { container } of containersOf(this.workload.pod)) {
      for (const observed of this.#observed.containers) {
        if (observed.name !== container.name || observed.state !== 'exited') continue;
        if (this.#terminationMessages.has(observed.id)) continue;
        this.#terminationMessages.set(observed.id, await terminationMessage(folders, container, observed));
      }
    }
  }

  /** Stored before it counts. */
  async #change(change: Partial<Intent>): Promise<void> {
    this.#intent = { ...this.#intent, ...change };
    const write = this.#write.then(() => this.#context.store.writeIntent(this.ref.uid, this.#intent));
    this.#write = write.catch(() => undefined);
    await write;
  }

  #publish(): void {
    const { instance } = this;
    const text = JSON.stringify(instance);
    if (text === this.#published) return;
    this.#published = text;
    this.#context.hub.changed(instance);
  }

  #situation(): StatusInput {
    return {
      workload: this.workload,
      plan: this.#plan,
      intent: this.#intent,
      pod: this.#observed,
      failures: this.#failures,
      now: this.#context.clock.now(),
      runtimeName: this.#context.runtimeName(),
      terminationMessages: this.#terminationMessages,
    };
  }
}
