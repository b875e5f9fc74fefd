import { nameOf, secrets } from '@spillway/kube';
import { isUsual } from '../../podspec/usual-objects.ts';
import type { Home } from '../kubernetes/dismantle/home.ts';
import type { CciDialect } from './dialects.ts';
import { pullSecretName } from './images/pull-secret.ts';
import { networkName } from './prepare/network.ts';

/** The namespace of CCI, and its network. */
export function cciHome({ namespace, network, kinds }: CciDialect): Home {
  const { apiVersion, kind } = namespace;
  return {
    namespaces: { apiVersion, kind, plural: 'namespaces', namespaced: false },
    kinds: async () =>
      kinds.map(([version, name, plural]) => ({ apiVersion: version, kind: name, plural, namespaced: true })),
    isPrepared: (object) => object.kind === network.kind && nameOf(object) === networkName,
    // CCI makes the Secret with the logins by itself, too.
    isUsual: (object) => isUsual(object) || (object.kind === secrets.kind && nameOf(object) === pullSecretName),
  };
}
