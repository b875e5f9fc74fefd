import {
  type ConfigMap,
  isOlder,
  type KubeObject,
  type ObjectMeta,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type Secret,
} from '@spillway/kube';
import type { InstanceChange, Owner, ReferencedObjects } from '../../backend.ts';
import { copyMarks, isCopy, type Source, sourceOf } from '../pods/marks.ts';
import { copyName } from '../pods/names.ts';

/** Names of copies, and which of them are needed. */
export class CopyNames {
  readonly configMaps: Set<string> = new Set();
  readonly secrets: Set<string> = new Set();
  readonly #owner: Owner;
  readonly #namespace: string;

  constructor(owner: Owner, namespace: string) {
    this.#owner = owner;
    this.#namespace = namespace;
  }

  configMap(name: string): string {
    this.configMaps.add(name);
    return copyName(this.#owner, this.#namespace, name);
  }

  secret(name: string): string {
    this.secrets.add(name);
    return copyName(this.#owner, this.#namespace, name);
  }
}

export interface Copies {
  readonly configMaps: readonly ConfigMap[];
  readonly secrets: readonly Secret[];
  /** Storage that is not of one object of the cluster: claims of several namespaces may be bound to it. */
  readonly claims: readonly ClaimCopy[];
}

export type CopyKind = keyof Copies;
export type AnyCopy = Copies[CopyKind][number];

/** A claim, and the volume that has to be there with it, if any. */
export type ClaimCopy = PersistentVolumeClaim & { readonly volume?: PersistentVolume };

/** The copies that are needed of objects of one namespace. What is not there has none: the pod does without it. */
export function copiesOf(
  names: { readonly configMaps: Iterable<string>; readonly secrets: Iterable<string> },
  objects: ReferencedObjects,
  { owner, from, to }: { readonly owner: Owner; readonly from: string; readonly to: string },
): Omit<Copies, 'claims'> {
  const metadataOf = (name: string, { metadata }: KubeObject): ObjectMeta =>
    copyMetadata(owner, { namespace: from, name, version: metadata?.resourceVersion ?? '' }, to);
  const configMaps: ConfigMap[] = [];
  for (const name of names.configMaps) {
    const source = objects.configMaps.get(name);
    if (!source) continue;
    const { data, binaryData } = source;
    configMaps.push({ metadata: metadataOf(name, source), ...(data && { data }), ...(binaryData && { binaryData }) });
  }
  const secrets: Secret[] = [];
  for (const name of names.secrets) {
    const source = objects.secrets.get(name);
    if (!source) continue;
    secrets.push({
      metadata: metadataOf(name, source),
      type: typeOf(source),
      ...(source.data && { data: source.data }),
    });
  }
  return { configMaps, secrets };
}

/** A Secret of this type belongs to a service account of its cluster; elsewhere it is only data, or removed at once. */
function typeOf({ type = 'Opaque' }: Secret): string {
  return type === 'kubernetes.io/service-account-token' ? 'Opaque' : type;
}

function copyMetadata(owner: Owner, source: Source, namespace: string): ObjectMeta {
  const { labels, annotations } = copyMarks(owner, source);
  return {
    namespace,
    name: copyName(owner, source.namespace, source.name),
    labels: { ...labels },
    annotations: { ...annotations },
  };
}

/** Copies of objects that are gone where they came from. */
export function copyNamesOf(
  absent: InstanceChange['absent'],
  { owner, from }: { readonly owner: Owner; readonly from: string },
): { readonly configMaps: readonly string[]; readonly secrets: readonly string[] } {
  const { configMaps = [], secrets = [] } = absent ?? {};
  const names = new CopyNames(owner, from);
  return {
    configMaps: configMaps.map((name) => names.configMap(name)),
    secrets: secrets.map((name) => names.secret(name)),
  };
}

export type CopyStep = 'create' | 'replace' | 'keep' | 'foreign' | 'ending';

/** What to do for a copy to be as wanted. An older state of the source never replaces a newer one. */
export function stepFor<T extends AnyCopy>(wanted: T, found: T | undefined, owner: Owner): CopyStep {
  if (found === undefined) return 'create';
  if (found.metadata?.deletionTimestamp !== undefined) return 'ending';
  const [source, other] = [sourceOf(wanted, owner), sourceOf(found, owner)];
  // Of no object of the cluster, so that it never changes.
  if (source === undefined) return isCopy(wanted, owner) ? 'keep' : 'foreign';
  if (!other || source.namespace !== other.namespace || source.name !== other.name) return 'foreign';
  const older = source.version !== '' && other.version !== '' && isOlder(versioned(source), versioned(other));
  return older || contentOf(wanted) === contentOf(found) ? 'keep' : 'replace';
}

/** All objects by name that a pod refers to. */
export function namesUsedBy({ spec }: Pod): Readonly<Record<CopyKind, ReadonlySet<string>>> {
  const configMaps = new Set<string | undefined>();
  const secrets = new Set<string | undefined>();
  const claims = new Set<string | undefined>();
  for (const { env = [], envFrom = [] } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    for (const { configMapRef, secretRef } of envFrom) {
      configMaps.add(configMapRef?.name);
      secrets.add(secretRef?.name);
    }
    for (const { valueFrom } of env) {
      configMaps.add(valueFrom?.configMapKeyRef?.name);
      secrets.add(valueFrom?.secretKeyRef?.name);
    }
  }
  for (const { configMap, secret, projected, persistentVolumeClaim } of spec?.volumes ?? []) {
    configMaps.add(configMap?.name);
    secrets.add(secret?.secretName);
    claims.add(persistentVolumeClaim?.claimName);
    for (const source of projected?.sources ?? []) {
      configMaps.add(source.configMap?.name);
      secrets.add(source.secret?.name);
    }
  }
  for (const { name } of spec?.imagePullSecrets ?? []) secrets.add(name);
  return { configMaps: present(configMaps), secrets: present(secrets), claims: present(claims) };
}

function present(names: ReadonlySet<string | undefined>): Set<string> {
  return new Set([...names].filter((name) => name !== undefined));
}

function versioned({ version }: Source): KubeObject {
  return { metadata: { resourceVersion: version } };
}

function contentOf(object: AnyCopy): string {
  const data = 'data' in object ? object.data : undefined;
  const binary = 'binaryData' in object ? object.binaryData : undefined;
  const type = 'type' in object ? object.type : undefined;
  return JSON.stringify([sorted(data), sorted(binary), type]);
}

function sorted(data: Readonly<Record<string, string>> = {}): [string, string][] {
  return Object.entries(data).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
