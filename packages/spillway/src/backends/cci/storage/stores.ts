import {
  type CallOptions,
  isNotFound,
  type KubeClient,
  nameOf,
  persistentVolumeClaims,
  persistentVolumes,
  type ResourceType,
} from '@spillway/kube';
import { BackendError, type Owner } from '../../backend.ts';
import type { ClaimCopy } from '../../kubernetes/copies/copies.ts';
import {
  type CopyStore,
  plainStore,
  undefinedIfMissing,
  unlessGone,
  unlessThere,
} from '../../kubernetes/copies/copy-store.ts';
import type { CciDialect } from '../dialects.ts';
import { isCopyName } from './copies.ts';

type MakeStore = (
  client: KubeClient,
  place: { readonly owner: Owner; readonly namespace: string },
) => CopyStore<ClaimCopy>;

/**
 * Without these, the file system is deleted with its claim. The vendor's documents write the names in one way, its tools and
 * errors in the other. SFS Turbo is unbound as nfs, too.
 */
const keepingStorage = { deleteVolume: 'false', delete_volume: 'false', storageType: 'nfs', storage_type: 'nfs' };

/** CCI 1.0: a claim imports what exists, and is unbound in the end. */
const importing: MakeStore = (client, place) => {
  const { owner, namespace } = place;
  const path = `/api/v1/namespaces/${namespace}`;
  const resource = persistentVolumeClaims.plural;
  return {
    ...claimsOf(client, persistentVolumeClaims, place),
    create: async (wanted, { signal, lane }) => {
      const body = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...wanted };
      const target = `${path}/extended-persistentvolumeclaims`;
      await client.request({ method: 'POST', path: target, body, signal, lane, resource }).catch(unlessThere);
    },
    delete: async (found, { signal, lane }) => {
      // Never one that somebody else has made.
      if (!isCopyName(owner, nameOf(found))) return;
      const target = `${path}/persistentvolumeclaims/${nameOf(found)}`;
      const query = keepingStorage;
      await client.request({ method: 'DELETE', path: target, query, signal, lane, resource }).catch(unlessGone);
    },
  };
};

/** CCI 2.0: a volume that stays when its claim goes, and the claim. What there is, its claim says. */
const bindingByPath: MakeStore = (client, place) => {
  const { namespace } = place;
  const claims = claimsOf(client, { ...persistentVolumeClaims, apiVersion: 'cci/v2' }, place);
  const volumes = client.resource({ ...persistentVolumes, apiVersion: 'cci/v2' });
  return {
    ...claims,
    get: async (name, call) => {
      const [claim, volume] = await Promise.all([
        claims.get(name, call),
        volumes.get({ name }, call).catch(undefinedIfMissing),
      ]);
      if (claim === undefined || volume === undefined) return undefined;
      const deletionTimestamp = claim.metadata?.deletionTimestamp ?? volume.metadata?.deletionTimestamp;
      return {
        ...claim,
        metadata: { ...claim.metadata, ...(deletionTimestamp !== undefined && { deletionTimestamp }) },
      };
    },
    create: async ({ volume, ...claim }, call) => {
      await claims.create(claim, call);
      if (volume === undefined) return;
      const claimRef = { namespace, name: nameOf(claim) };
      const wanted = { ...volume, spec: { ...volume.spec, claimRef } };
      await volumes.create(wanted, call).catch(async (error: unknown) => {
        // The namespace is there: it has the claim.
        if (isNotFound(error)) throw noVolumes(error);
        unlessThere(error);
        await assertUsable(nameOf(volume), call);
      });
    },
    delete: async (found, call) => {
      await volumes.delete({ name: nameOf(found) }, call).catch(unlessGone);
      await claims.delete(found, call);
    },
  };

  /** A volume of a claim that is gone is never bound to another. @throws BackendError until it is gone, too */
  async function assertUsable(name: string, call: CallOptions): Promise<void> {
    const { metadata, status } = await volumes.get({ name }, call);
    const isEnding = metadata?.deletionTimestamp !== undefined;
    if (!isEnding && status?.phase !== 'Released') return;
    if (!isEnding) await volumes.delete({ name }, call).catch(unlessGone);
    throw new BackendError('unavailable', `cci: PersistentVolume ${name} is still being removed`);
  }
};

function noVolumes(cause: unknown): BackendError {
  const message = 'cci: CCI 2.0 does not offer PersistentVolumes in this region yet';
  return new BackendError('invalid', message, { cause, remedy: 'Run the pod in a pool with apiVersion: v1' });
}

export const claimStores: Readonly<Record<CciDialect['apiVersion'], MakeStore>> = {
  v1: importing,
  v2: bindingByPath,
};

/** By their names. */
function claimsOf(
  client: KubeClient,
  type: ResourceType<ClaimCopy>,
  { owner, namespace }: Parameters<MakeStore>[1],
): CopyStore<ClaimCopy> {
  const resource = client.resource(type);
  return {
    ...plainStore(client, type, { owner, namespace }),
    isUsable: ({ status }) => status?.phase === 'Bound',
    all: async function* (call) {
      for await (const { items } of resource.pages({ ...call, namespace })) {
        yield* items.filter((claim) => isCopyName(owner, nameOf(claim)));
      }
    },
  };
}
