import { ApiError, type ConfigMap, isNotFound, type KubeClient, resourcePath, type ResourceType } from '@spillway/kube';
import { BackendError, type Owner } from '../../backend.ts';
import { deleting } from '../lanes.ts';
import { deadManName } from '../pods/names.ts';

export interface HeartbeatPlace {
  readonly client: KubeClient;
  readonly configMaps: ResourceType<ConfigMap>;
  readonly namespace: string;
  readonly owner: Owner;
}

/** The heartbeat as it is, if it is there, and what time it is for the server that keeps it. */
export async function datedHeartbeat(
  { client, configMaps, namespace, owner }: HeartbeatPlace,
  signal: AbortSignal,
): Promise<{ readonly nowMs: number; readonly object?: ConfigMap }> {
  const path = resourcePath(configMaps, { namespace, name: deadManName(owner) });
  try {
    const { value, date } = await client.dated<ConfigMap>({
      method: 'GET',
      path,
      resource: configMaps.plural,
      lane: deleting,
      signal,
    });
    return { nowMs: known(date), object: value };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return { nowMs: known(error instanceof ApiError ? error.answer?.date : undefined) };
  }
}

function known(date: number | undefined): number {
  if (date !== undefined) return date;
  throw new BackendError('internal', 'the API does not tell what time it is: its answers have no header Date');
}
