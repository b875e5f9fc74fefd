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
    const bring = (): Promise<readonly RefusedLogin[]> => this.#bring(client, workload.ref, spec, asked, signal);
    const refused = await this.#turns.run(bring, { signal });
    for (const { from, notice } of refused) if (asked.some((each) => each.from === from)) tell(notice);
    return adapted;
  }

  /** Merges, as often as somebody else was faster. */
  async #bring(
    client: KubeClient,
    { uid }: InstanceRef,
    spec: PodSpec,
    asked: readonly WantedLogin[],
    signal: AbortSignal,
  ): Promise<readonly RefusedLogin[]> {
    if (this.#unseen.size >= maxUnseen) this.#unseen.delete([...this.#unseen.keys()][0] ?? '');
    this.#unseen.set(uid, spec);
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const present = await this.#read(client, signal);
      // Most pods add nothing. What nobody needs any more is removed when something is written.
      let wanted = wantedLogins(present, this.#known, asked, () => true);
      let merged = mergePullSecret(present, wanted);
      if (merged.secret !== undefined) {
        const isNeeded = await this.#needs(client, signal);
        wanted = wantedLogins(present, this.#known, asked, isNeeded);
        merged = mergePullSecret(present, wanted);
      }
      if (merged.secret !== undefined && !(await this.#write(client, present, merged.secret, signal))) continue;
      const lost = new Set(merged.refused.map(({ from }) => from));
      this.#known = wanted.filter(({ from }) => !lost.has(from) && from !== earlierPod);
      return merged.refused;
    }
    throw new BackendError('unavailable', `the Secret ${pullSecretName} of CCI was changed by others again and again`);
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
      if (isAlreadyExists(error) || isConflict(error) || isNotFound(error)) return false;
      throw error;
    }
  }
}
