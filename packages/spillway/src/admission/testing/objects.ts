import { ApiError, type Deployment, type Pod } from '@spillway/kube';

export const podSpec: Pod['spec'] & object = { containers: [{ name: 'main', image: 'busybox' }] };
export const pod = (namespaceName: string, name: string, labels: Record<string, string>): Pod => ({
  metadata: { namespace: namespaceName, name, labels },
  spec: podSpec,
});
export const deployment = (namespaceName: string, name: string, labels: Record<string, string>): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: namespaceName, name, labels },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec },
  },
});

/** The API server's words. */
export async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
}
