import type { KubeClient, KubeObject, ListOptions, ResourceType } from '@spillway/kube';

const pageSize = 500;

/** The whole list, read in pages. @throws ApiError, TransportError */
export async function everyPage<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  options: ListOptions,
): Promise<T[]> {
  const found: T[] = [];
  let next: string | undefined;
  do {
    const page = await client
      .resource(type)
      .list({ ...options, limit: pageSize, ...(next === undefined ? {} : { continue: next }) });
    found.push(...page.items);
    next = page.metadata?.continue || undefined;
  } while (next !== undefined);
  return found;
}
