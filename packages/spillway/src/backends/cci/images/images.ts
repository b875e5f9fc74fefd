import { isAlreadyExists, isConflict, isNotFound, type KubeClient, type PodSpec, type Secret } from '@spillway/kube';
import { type ImageReplacement, replaceImages } from '../../../podspec/image-replacement.ts';
import type { RegistryCredential } from '../../../podspec/images.ts';
import { BackendError, type InstanceRef, type Workload } from '../../backend.ts';
import type { Dialect } from '../../kubernetes/dialect.ts';
import type { AdaptContext } from '../../kubernetes/kubernetes-backend.ts';
import { Semaphore } from '../../semaphore.ts';
import type { AccessKey } from '../signing.ts';
import { mergePullSecret, pullSecretName, type RefusedLogin, type WantedLogin } from './pull-secret.ts';
import { registryNotice, swrLogin } from './swr.ts';
import { earlierPod, isUsed, loginsOf, wantedLogins } from './wanted-logins.ts';

export interface ImagesOptions {
  readonly types: Pick<Dialect['types'], 'pods' | 'secrets'>;
  readonly namespace: string;
  readonly region: string;
  /** Of SWR. Default: named as the region */
  readonly project?: string | undefined;
  readonly replacements: readonly ImageReplacement[];
  /** Undefined: who we are has none. */
  readonly accessKey: () => Promise<AccessKey | undefined>;
}

/** Others write the Secret too. */
const maxAttempts = 5;
/** Pods that were let through and are not there yet, or never came. */
const maxUnseen = 1000;

/** The images of pods in CCI: their names, and the one Secret with the logins for all of them. */
export class Images {
  readonly #options: ImagesOptions;
  readonly #turns = new Semaphore(1);
  /** What pods of this process asked for. */
  #known: readonly WantedLogin[] = [];
  readonly #unseen = new Map<string, PodSpec>();
  #isMerging = false;

  constructor(options: ImagesOptions) {
    this.#options = options;
  }

  /** The workload with the images as CCI is to pull them; the logins for them are there. */
  async adapt(workload: Workload, { client, tell }: AdaptContext, signal: AbortSignal): Promise<Workload> {
    const { replacements, region, project } = this.#options;
    const spec = replaceImages(workload.pod.spec ?? { containers: [] }, replacements);
    const adapted = { ...workload, pod: { ...workload.pod, spec } };
    const images = [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ image }) => image ?? []);
    for (const image of new Set(images)) {
      const notice = registryNotice(image);
      if (notice) tell(notice);
    }
    const key = await this.#options.accessKey();
    const asked = loginsOf(adapted, key && swrLogin(key, { region, ...(project !== undefined && { project }) }));
    if (asked.length === 0) return adapted;
    const refused = await this.#bring(client, workload.ref, spec, asked, signal);
    for (const { from, notice } of refused) if (asked.some((each) => each.from === from)) tell(notice);
    return adapted;
  }

  async #bring(
    client: KubeClient,
    { uid }: InstanceRef,
    spec: PodSpec,
    asked: readonly WantedLogin[],
    signal: AbortSignal,
  ): Promise<readonly RefusedLogin[]> {
    // A merge that begins from now on keeps what this pod needs.
    const isQuiet = !this.#isMerging;
    if (this.#unseen.size >= maxUnseen) this.#unseen.delete([...this.#unseen.keys()][0] ?? '');
    this.#unseen.set(uid, spec);
    if (isQuiet) {
      // Most pods add nothing.
      const wanted = (present: Secret | undefined): WantedLogin[] =>
        wantedLogins(present, this.#known, asked, () => true);
      const present = await this.#read(client, signal);
      const { secret, refused } = mergePullSecret(present, wanted(present));
      if (secret === undefined) return this.#settled(wanted(present), refused);
    }
    return await this.#turns.run(() => this.#merge(client, asked, signal), { signal });
  }

  /** As often as somebody else was faster. What nobody needs any more goes on this occasion. */
  async #merge(
    client: KubeClient,
    asked: readonly WantedLogin[],
    signal: AbortSignal,
  ): Promise<readonly RefusedLogin[]> {
    this.#isMerging = true;
    try {
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const present = await this.#read(client, signal);
        const wanted = wantedLogins(present, this.#known, asked, await this.#needs(client, signal));
        const { secret, refused } = mergePullSecret(present, wanted);
        if (secret === undefined || (await this.#write(client, present, secret, signal))) {
          return this.#settled(wanted, refused);
        }
      }
    } finally {
      this.#isMerging = false;
    }
    throw new BackendError('unavailable', `the Secret ${pullSecretName} of CCI was changed by others again and again`);
  }

  #settled(wanted: readonly WantedLogin[], refused: readonly RefusedLogin[]): readonly RefusedLogin[] {
    const isRefused = (each: WantedLogin): boolean =>
      refused.some(({ from, registry }) => from === each.from && registry === each.login.registry);
    this.#known = wanted.filter((each) => each.from !== earlierPod && !isRefused(each));
    return refused;
  }

  async #needs(client: KubeClient, signal: AbortSignal): Promise<(login: RegistryCredential) => boolean> {
    const { types, namespace } = this.#options;
    // Of all pods: other virtual nodes of the cluster have theirs in the same namespace.
    const specs: (PodSpec | undefined)[] = [];
    for await (const page of client.resource(types.pods).pages({ namespace, signal })) {
      for (const { spec, metadata } of page.items) {
        specs.push(spec);
        this.#unseen.delete(metadata?.annotations?.['virtual-kubelet-uid'] ?? '');
      }
    }
    specs.push(...this.#unseen.values());
    return (login) => specs.some((spec) => isUsed(login, spec));
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
