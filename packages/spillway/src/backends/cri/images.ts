import type { Clock, Container } from '@spillway/kube';
import {
  formatImage,
  type ImageReference,
  parseImage,
  pullPolicy,
  type RegistryCredential,
} from '../../podspec/images.ts';
import { matchingCredentials } from '../../podspec/registry-credentials.ts';
import type { Notice } from '../../podspec/notice.ts';
import { BackendError } from '../backend.ts';
import type { RuntimeCalls } from './client/runtime-client.ts';
import type { ImageUser } from './config/security.ts';
import type { Image__Output } from './generated/runtime/v1/Image.ts';
import type { PodSandboxConfig } from './generated/runtime/v1/PodSandboxConfig.ts';
import { StepError } from './pod/step-error.ts';

export interface PresentImage extends ImageUser {
  readonly id: string;
}

export interface ImageRequest {
  readonly container: Container;
  readonly credentials: readonly RegistryCredential[];
  readonly sandboxConfig: PodSandboxConfig;
  /** The kubelet's events. */
  readonly notify: (notice: Omit<Notice, 'fieldPath'>) => void;
}

/** Makes sure that a container's image is there, by its pull policy, with the kubelet's events and reasons. */
export class Images {
  readonly #calls: Pick<RuntimeCalls, 'ImageStatus' | 'PullImage'>;
  readonly #clock: Clock;

  constructor(calls: Pick<RuntimeCalls, 'ImageStatus' | 'PullImage'>, clock: Clock) {
    this.#calls = calls;
    this.#clock = clock;
  }

  async ensure(
    { container, credentials, sandboxConfig, notify }: ImageRequest,
    signal: AbortSignal,
  ): Promise<PresentImage> {
    const image = container.image ?? '';
    const parsed = parseImage(image);
    if (!parsed.ok) {
      const message = `Failed to apply default image tag "${image}": ${parsed.error}`;
      throw failed('InvalidImageName', message, 'InspectFailed', [errorNotice('InvalidImageName')]);
    }
    const policy = pullPolicy(container);
    const name = formatImage(parsed.reference);
    const present = policy === 'Always' ? undefined : await this.#find(name);
    if (present) {
      const message = `Container image "${image}" already present on machine`;
      notify({ severity: 'Normal', reason: 'Pulled', message });
      return present;
    }
    if (policy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      throw failed('ErrImageNeverPull', message, 'ErrImageNeverPull', [errorNotice('ErrImageNeverPull')]);
    }
    notify({ severity: 'Normal', reason: 'Pulling', message: `Pulling image "${image}"` });
    const began = this.#clock.now();
    const ref = await this.#pull(image, parsed.reference, credentials, sandboxConfig, signal);
    const pulled = await this.#find(ref);
    if (!pulled) throw failed('ErrImagePull', `image "${image}" is gone after it was pulled`, 'Failed', []);
    const took = `${((this.#clock.now() - began) / 1000).toFixed(3)}s`;
    const message = `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${pulled.size} bytes.`;
    notify({ severity: 'Normal', reason: 'Pulled', message });
    return pulled;
  }

  async #find(image: string): Promise<(PresentImage & { readonly size: string }) | undefined> {
    const { image: found } = await this.#calls.ImageStatus({ image: { image } });
    return found ? { id: found.id, size: found.size, ...userOf(found) } : undefined;
  }

  /** Tries the logins that match, one after the other, and nobody's when there is none. */
  async #pull(
    image: string,
    reference: ImageReference,
    credentials: readonly RegistryCredential[],
    sandboxConfig: PodSandboxConfig,
    signal: AbortSignal,
  ): Promise<string> {
    const logins = matchingCredentials(reference, credentials);
    const name = formatImage(reference);
    const errors: unknown[] = [];
    for (const login of logins.length > 0 ? logins : [undefined]) {
      const auth = login && { username: login.username, password: login.password };
      try {
        const { imageRef } = await this.#calls.PullImage(
          { image: { image: name }, sandboxConfig, auth: auth ?? null },
          { signal },
        );
        return imageRef;
      } catch (error) {
        if (signal.aborted || isAway(error)) throw error;
        errors.push(error);
      }
    }
    throw pullFailed(image, errors);
  }
}

function pullFailed(image: string, errors: readonly unknown[]): StepError {
  const reason = errors.map((error) => (error instanceof Error ? error.message : String(error))).join('; ');
  return new StepError(reason, {
    reason: 'ErrImagePull',
    notices: [
      { severity: 'Warning', reason: 'Failed', message: `Failed to pull image "${image}": ${reason}` },
      errorNotice('ErrImagePull'),
    ],
    backoff: {
      reason: 'ImagePullBackOff',
      message: `Back-off pulling image "${image}": ErrImagePull: ${reason}`,
      event: `Back-off pulling image "${image}"`,
    },
    cause: errors.at(-1),
  });
}

function failed(reason: string, message: string, event: string, more: readonly Omit<Notice, 'fieldPath'>[]): StepError {
  return new StepError(message, { reason, notices: [{ severity: 'Warning', reason: event, message }, ...more] });
}

function errorNotice(reason: string): Omit<Notice, 'fieldPath'> {
  return { severity: 'Warning', reason: 'Failed', message: `Error: ${reason}` };
}

function isAway(error: unknown): boolean {
  // A registry that cannot be reached is reported by containerd as unknown or internal, never as unavailable.
  return error instanceof BackendError && error.kind === 'unavailable';
}

function userOf({ uid, username }: Image__Output): ImageUser {
  return { ...(uid && { uid: Number(uid.value) }), ...(username && { username }) };
}
