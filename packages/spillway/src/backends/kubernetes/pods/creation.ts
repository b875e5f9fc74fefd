import {
  type ApiError,
  isAlreadyExists,
  isForbidden,
  isNotFound,
  nameOf,
  type Pod,
  type ResourceClient,
} from '@spillway/kube';
import { BackendError, type InstanceRef, type Owner } from '../../backend.ts';
import type { CopyKeeper } from '../copies/copy-keeper.ts';
import type { Dialect } from '../dialect.ts';
import type { Translation } from '../fields/translate.ts';
import { creating } from '../lanes.ts';
import type { Instances } from './instances.ts';
import { assertCreated } from './taken.ts';

export interface CreationContext {
  readonly pods: ResourceClient<Pod>;
  readonly instances: Instances;
  readonly copies: CopyKeeper;
  readonly dialect: Pick<Dialect, 'name'>;
  readonly owner: Owner;
  /** In the other cluster. */
  readonly namespace: string;
}

/**
 * Creates an instance's pod once, after the copies that it uses; success when it is there already. Its marks say so, and not its
 * name: earlier versions gave others.
 */
export async function createPod(
  ref: InstanceRef,
  translation: Pick<Translation, 'pod' | 'copies'>,
  context: CreationContext,
  signal: AbortSignal,
): Promise<void> {
  const { instances, copies, dialect, owner, namespace } = context;
  const create = async (): Promise<void> => {
    // Its copies may be gone when it came late, by a call whose answer was lost.
    const there = await instances.find({ signal }, ref.uid);
    if (there) assertCreated(there, ref, owner);
    else await post(translation.pod, ref, context, signal);
  };
  try {
    await copies.with(translation.copies, create, { signal });
  } catch (error) {
    const isMissing = isNotFound(error) && isOfNamespace(error);
    if (!isMissing && !isEndingNamespace(error)) throw error;
    const message = `${dialect.name}: namespace ${namespace} ${isMissing ? 'does not exist' : 'is being deleted'}`;
    // So that it is prepared again.
    throw new BackendError('notFound', message, { cause: error, reason: 'NamespaceMissing' });
  }
}

async function post(
  pod: Pod,
  ref: InstanceRef,
  { pods, owner, namespace }: CreationContext,
  signal: AbortSignal,
): Promise<void> {
  try {
    await pods.create(pod, { signal, lane: creating });
    return;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  const name = nameOf(pod);
  const found = await pods.get({ namespace, name }, { signal }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    const message = `pod ${name} of the other cluster has just gone; its name is free now`;
    throw new BackendError('conflict', message, { cause: error });
  });
  assertCreated(found, ref, owner);
}

/** Not every server says what it is that was not found. */
const isOfNamespace = ({ details }: ApiError): boolean => (details?.kind ?? 'namespaces') === 'namespaces';

const isEndingNamespace = (error: unknown): boolean =>
  isForbidden(error) && error.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true;
