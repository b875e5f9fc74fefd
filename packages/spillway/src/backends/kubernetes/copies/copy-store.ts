import {
  type CallOptions,
  isAlreadyExists,
  isConflict,
  isNotFound,
  type KubeClient,
  type KubeObject,
  nameOf,
  type ResourceType,
  resourceVersionOf,
  uidOf,
} from '@spillway/kube';
import type { Owner } from '../../backend.ts';
import { copySelector } from '../pods/marks.ts';
import type { AnyCopy } from './copies.ts';

/** Where copies of one kind are: in the namespace of the pods. */
export interface CopyStore<T extends AnyCopy = AnyCopy> {
  /** For people. */
  readonly kind: string;
  /** Undefined: there is none of that name, or not all that belongs to it. */
  get(name: string, call: CallOptions): Promise<T | undefined>;
  /** Success when it is there already. */
  create(wanted: T, call: CallOptions): Promise<void>;
  /** Can a pod use it already? Absent: as soon as it is there. */
  isUsable?(found: T): boolean;
  replace(wanted: T, found: T, call: CallOptions): Promise<void>;
  /** Success when it is gone, or another has its name. */
  delete(found: T, call: CallOptions): Promise<void>;
  /** All of ours. */
  all(call: CallOptions): AsyncIterable<T>;
}

/** Copies that are objects like any other. */
export function plainStore<T extends AnyCopy>(
  client: Pick<KubeClient, 'resource'>,
  type: ResourceType<T>,
  { owner, namespace }: { readonly owner: Owner; readonly namespace: string },
): CopyStore<T> {
  const resource = client.resource(type);
  return {
    kind: type.kind,
    get: (name, call) => resource.get({ namespace, name }, call).catch(undefinedIfMissing),
    create: async (wanted, call) => {
      await resource.create<KubeObject>(wanted, call).catch(unlessThere);
    },
    replace: async (wanted, found, call) => {
      const metadata = { ...wanted.metadata, resourceVersion: resourceVersionOf(found) };
      await resource.replace<KubeObject>({ ...wanted, metadata }, call);
    },
    delete: async (found, call) => {
      const preconditions = { uid: uidOf(found) };
      await resource.delete({ namespace, name: nameOf(found) }, { ...call, preconditions }).catch(unlessGone);
    },
    all: async function* (call) {
      const ours = { ...call, namespace, labelSelector: copySelector(owner) };
      for await (const { items } of resource.pages(ours)) yield* items;
    },
  };
}

export function undefinedIfMissing(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

export function unlessGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error;
}

/** Made by the call whose answer was lost. */
export function unlessThere(error: unknown): void {
  if (!isAlreadyExists(error)) throw error;
}
