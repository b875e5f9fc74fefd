import type { KubeObject } from '@spillway/kube';

/** Does every namespace have this object by itself? */
export function isUsual({ kind, metadata, ...rest }: KubeObject & { readonly type?: unknown }): boolean {
  const name = metadata?.name ?? '';
  switch (kind) {
    case 'ConfigMap':
      return name === 'kube-root-ca.crt';
    case 'ServiceAccount':
      return name === 'default';
    case 'Secret':
      return rest.type === 'kubernetes.io/service-account-token' && name.startsWith('default-token-');
    default:
      return false;
  }
}
