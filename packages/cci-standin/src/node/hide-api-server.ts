import { isAlreadyExists, isNotFound, type KubeClient, type Service, services } from '@spillway/kube';

const apiServer = { namespace: 'default', name: 'kubernetes' };

/**
 * Pods of CCI know of no API server: the Service from which a kubelet takes the variables KUBERNETES_SERVICE_* loses its
 * address. The API server makes it again when it is away, and leaves it alone as long as its ports are right.
 */
export async function hideApiServer(client: KubeClient): Promise<void> {
  for (;;) {
    const found = await unless(isNotFound, client.resource(services).get(apiServer));
    if (found?.spec?.clusterIP === 'None') return;
    await unless(isNotFound, client.resource(services).delete(apiServer));
    const spec = { clusterIP: 'None', ports: [{ name: 'https', port: 443, targetPort: 6443, protocol: 'TCP' }] };
    await unless(isAlreadyExists, client.resource(services).create<Service>({ metadata: apiServer, spec }));
  }
}

async function unless<T>(expected: (error: unknown) => boolean, call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (expected(error)) return undefined;
    throw error;
  }
}
