import {
  type Clock,
  isAlreadyExists,
  isConflict,
  isNotFound,
  type KubeClient,
  type PodSpec,
  resourceVersionOf,
  type Secret,
  uidOf,
} from '@spillway/kube';
import pLimit from 'p-limit';
import { type ImageReplacement, replaceImages } from '../../../podspec/image-replacement.ts';
import type { RegistryCredential } from '../../../podspec/images.ts';
import { BackendError, type BackendObject, type InstanceRef, type Notice, type Workload } from '../../backend.ts';
import type { Dialect } from '../../kubernetes/dialect.ts';
import type { AdaptContext } from '../../kubernetes/kubernetes-backend.ts';
import type { AccessKey } from '../signing.ts';
import { hasLogins, mergePullSecret, pullSecretName, type WantedLogin } from './pull-secret.ts';
import { registryNotice, swrLogin } from './swr.ts';
import { isUsed, loginsOf, type PullingPod } from './wanted-logins.ts';

export interface ImagesOptions {
  readonly types: Pick<Dialect['types'], 'pods' | 'secrets'>;
  readonly namespace: string;
  readonly region: string;
  /** Of SWR. Default: named as the region */
  readonly project?: string | undefined;
  readonly replacements: readonly ImageReplacement[];
  /** Undefined: who we are has none. */
  readonly accessKey: () => Promise<AccessKey | undefined>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
}

/** Between two looks at which logins pods need: who was let through meanwhile has its pod by then. */
const betweenLooksMs = 60_000;
/** Others write the Secret too. */
const maxAttempts = 5;
/** Pods that were let through and are not there yet, or never came. */
const maxUnseen = 1000;

interface Merge {
  readonly asked: readonly WantedLogin[];
  /** Whose logins are asked for; those that it had before are not needed by it. */
  readonly by?: InstanceRef;
  /** Stays, whatever the pods of now need. */
  readonly isNeeded?: (login: RegistryCredential) => boolean;
}

/** The images of pods in CCI: their names, and the one Secret with the logins for all of them. */
export class Images {
  readonly #options: ImagesOptions;
  readonly #inTurn = pLimit(1);
  readonly #unseen = new Map<string, PodSpec>();
  #isMerging = false;
  #tidying: Promise<void> | undefined;
  #again = false;

  constructor(options: ImagesOptions) {
    this.#options = options;
  }

  /** The workload with the images as CCI is to pull them; the logins for them are there. */
  async adapt(workload: Workload, context: AdaptContext, signal: AbortSignal): Promise<Workload> {
    const { replacements, region } = this.#options;
    const spec = replaceImages(workload.pod.spec ?? { containers: [] }, replacements);
    const images = [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ image }) => image ?? []);
    for (const image of new Set(images)) {
      const notice = registryNotice(image, region);
      if (notice) context.tell(notice);
    }
    const secrets = (spec.imagePullSecrets ?? []).flatMap(({ name = '' }) => {
      const secret = workload.objects.secrets.get(name);
      return secret ? [[name, secret] as const] : [];
    });
    await this.bringLogins(spec, new Map(secrets), context, signal);
    return { ...workload, pod: { ...workload.pod, spec } };
  }

  /** @param secrets all pull Secrets of the pod, as far as they are there */
  async bringLogins(
    spec: PodSpec,
    secrets: PullingPod['secrets'],
    { client, ref, tell }: AdaptContext,
    signal: AbortSignal,
  ): Promise<void> {
    const { region, project, accessKey, clock } = this.#options;
    const key = await accessKey();
    const swr = key && swrLogin(key, { region, ...(project !== undefined && { project }) });
    const { logins, notices } = loginsOf({ namespace: ref.namespace, spec, secrets }, swr, clock.now());
    for (const notice of notices) tell(notice);
    if (logins.length === 0) return;
    // A merge that begins from now on keeps what this pod needs.
    const isQuiet = !this.#isMerging;
    if (this.#unseen.size >= maxUnseen) this.#unseen.delete([...this.#unseen.keys()][0] ?? '');
    this.#unseen.set(ref.uid, spec);
    if (isQuiet && (await this.#isThere(client, logins, signal))) return;
    const refused = await this.#inTurn(async () => {
      signal.throwIfAborted();
      return this.#merge(client, { asked: logins, by: ref }, signal);
    });
    for (const notice of refused) tell(notice);
  }

  /** Takes out of the Secret what no pod needs, at two looks. Calls while one is under way end with the one that follows it. */
  async tidy(client: KubeClient, signal: AbortSignal, removed?: InstanceRef): Promise<void> {
    if (removed !== undefined) this.#unseen.delete(removed.uid);
    this.#again = true;
    this.#tidying ??= this.#tidyUp(client, signal).finally(() => (this.#tidying = undefined));
    await this.#tidying;
  }

  /** Takes out all logins of ours that no pod needs. The Secret goes when it has no other. */
  async forget(client: KubeClient, signal: AbortSignal): Promise<BackendObject | undefined> {
    const { types, namespace } = this.#options;
    return await this.#inTurn(async () => {
      await this.#merge(client, { asked: [] }, signal);
      const present = await this.#read(client, signal);
      if (present === undefined || hasLogins(present)) return undefined;
      const preconditions = { uid: uidOf(present), resourceVersion: resourceVersionOf(present) };
      const ref = { namespace, name: pullSecretName };
      await client
        .resource(types.secrets)
        .delete(ref, { preconditions, signal })
        .catch((error: unknown) => {
          // Somebody has just put a login into it.
          if (!isNotFound(error) && !isConflict(error)) throw error;
        });
      return { kind: types.secrets.kind, ...ref };
    });
  }

  async #tidyUp(client: KubeClient, signal: AbortSignal): Promise<void> {
    while (this.#again && !signal.aborted) {
      this.#again = false;
      const before = await this.#needed(client, signal);
      await this.#options.clock.sleep(betweenLooksMs, signal);
      if (signal.aborted) return;
      await this.#inTurn(() => this.#merge(client, { asked: [], isNeeded: before }, signal));
    }
  }

  /** Most pods add nothing. */
  async #isThere(client: KubeClient, asked: readonly WantedLogin[], signal: AbortSignal): Promise<boolean> {
    const { secret, refused } = mergePullSecret(await this.#read(client, signal), asked);
    return secret === undefined && refused.length === 0;
  }

  /** As often as somebody else was faster. What nobody needs any more goes on this occasion. */
  async #merge(
    client: KubeClient,
    { asked, by, isNeeded = () => false }: Merge,
    signal: AbortSignal,
  ): Promise<readonly Notice[]> {
    this.#isMerging = true;
    try {
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const present = await this.#read(client, signal);
        const now = await this.#needed(client, signal, by);
        const { secret, refused } = mergePullSecret(present, asked, (login) => isNeeded(login) || now(login));
        if (secret === undefined || (await this.#write(client, present, secret, signal))) return refused;
      }
    } finally {
      this.#isMerging = false;
    }
    throw new BackendError('unavailable', `others keep changing the Secret ${pullSecretName} in CCI`);
  }

  /** @param but who is not asked */
  async #needed(
    client: KubeClient,
    signal: AbortSignal,
    but?: InstanceRef,
  ): Promise<(login: RegistryCredential) => boolean> {
    const { types, namespace } = this.#options;
    const specs = new Map<string, PodSpec | undefined>();
    // Of all pods: other virtual nodes of the cluster have theirs in the same namespace.
    for await (const page of client.resource(types.pods).pages({ namespace, signal })) {
      for (const { spec, metadata } of page.items) {
        const from = metadata?.annotations?.['virtual-kubelet-uid'] ?? '';
        specs.set(from || (metadata?.uid ?? ''), spec);
        this.#unseen.delete(from);
      }
    }
    const others = [...this.#unseen, ...specs].filter(([each]) => each !== but?.uid).map(([, spec]) => spec);
    return (login) => others.some((spec) => isUsed(login, spec));
  }

  async #read(client: KubeClient, signal: AbortSignal): Promise<Secret | undefined> {
    const { types, namespace } = this.#options;
    try {
      return await client.resource(types.secrets).get({ namespace, name: pullSecretName }, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** False: somebody else was faster. */
  async #write(client: KubeClient, present: Secret | undefined, secret: Secret, signal: AbortSignal): Promise<boolean> {
    const { types, namespace } = this.#options;
    // The client names the kind and the version of the API.
    const { apiVersion: _version, kind: _kind, ...content } = secret;
    const whole = { ...content, metadata: { ...secret.metadata, namespace } };
    try {
      if (present === undefined) await client.resource(types.secrets).create(whole, { signal });
      else await client.resource(types.secrets).replace(whole, { signal });
      return true;
    } catch (error) {
      // Without a namespace there is nothing to write it into.
      const isGone = present !== undefined && isNotFound(error);
      if (isGone || isAlreadyExists(error) || isConflict(error)) return false;
      throw error;
    }
  }
}
