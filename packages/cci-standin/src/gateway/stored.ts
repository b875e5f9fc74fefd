import type { Call } from '../rules/call.ts';
import { keepsStorage } from '../rules/claims.ts';
import type { Storage, Stored } from '../storage/storage.ts';
import type { Refusal } from '../refusal.ts';
import { storedCall, storedPath } from './v2.ts';

/** A call as the API server behind the gateway gets it. */
export interface StoredCall {
  readonly call: Call;
  readonly pathname: string;
}

/** Where a call goes, and as what. Only for one that the rules let in: what storage it is about is learnt here. */
export async function stored(
  call: Call,
  pathname: string,
  storage: Pick<Storage, 'imported' | 'stored' | 'keep'>,
): Promise<StoredCall | Refusal> {
  const { method, route, query } = call;
  const { resource, namespace = '', name } = route;
  if (method === 'POST' && resource === 'extended-persistentvolumeclaims') {
    const claims = { ...route, resource: 'persistentvolumeclaims' };
    return withBody(await storage.imported(call), (body) => ({
      call: { ...call, route: claims, body },
      pathname: `/api/v1/namespaces/${namespace}/persistentvolumeclaims`,
    }));
  }
  if (method === 'POST' && resource === 'persistentvolumes') {
    return withBody(await storage.stored(call), (body) => ({
      call: storedCall({ ...call, body }),
      pathname: storedPath(pathname, route),
    }));
  }
  if (method === 'DELETE' && resource === 'persistentvolumeclaims' && name !== undefined && keepsStorage(query)) {
    await storage.keep(namespace, name);
  }
  return { call: storedCall(call), pathname: storedPath(pathname, route) };
}

function withBody(found: Stored, use: (body: object) => StoredCall): StoredCall | Refusal {
  return 'refusal' in found ? found.refusal : use(found.body);
}
