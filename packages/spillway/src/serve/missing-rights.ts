import { type ApiError, missingRightOf } from '@spillway/kube';

/** What to do about an answer of the cluster's API server that is about who Spillway is. The rights of nodes are not Spillway's to get. */
export function remedyOf(error: ApiError): string | undefined {
  if (error.kind === 'unauthorized') {
    return 'The credentials have expired or belong to another cluster: renew them, or correct the section kubernetes of the configuration';
  }
  const missing = missingRightOf(error);
  if (missing === undefined || missing.user.startsWith('system:node:')) return undefined;
  return 'Apply the rights that the configuration needs: spillway manifests rbac --config FILE | kubectl apply -f -';
}
