import type { ListMeta, ObjectMeta } from './generated/index.ts';

/** What every object of the API has. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

/** Where a kind of object lives in the API. `_type` only carries the TypeScript type; it is never set. */
export interface ResourceType<T> {
  /** "v1", "apps/v1" */
  readonly apiVersion: string;
  readonly kind: string;
  /** "pods", as in the URL */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly _type?: T;
}

export interface KubeList<T> {
  apiVersion?: string;
  kind?: string;
  metadata: ListMeta;
  items: T[];
}

/** Names one object. Cluster-scoped objects have no namespace. */
export interface ObjectRef {
  readonly namespace?: string;
  readonly name: string;
}
