import { type Config, placementLeaseName, poolLeaseName } from '../config/config.ts';
import type { RbacOptions } from './rbac.ts';

/** Who gets the rights, and what the cluster can enforce. */
export interface RightsOptions {
  /** Of the account. */
  readonly namespace: string;
  /** The cluster has ValidatingAdmissionPolicy. */
  readonly podWritePolicy: boolean;
}

/** What `spillway serve` needs with this configuration. */
export function rightsOf(config: Config, { namespace, podWritePolicy }: RightsOptions): RbacOptions {
  const { name, pools, placement, leaderElection, admission, link } = config;
  return {
    installation: name,
    nodeNames: pools.map(({ nodeName }) => nodeName),
    approveServingCertificates: pools.some(({ servingCertificate }) => servingCertificate.csr?.approve === true),
    placement: placement.enabled,
    namespace,
    podWritePolicy,
    ...(leaderElection.enabled
      ? {
          leaderElection: {
            namespace: leaderElection.namespace,
            leaseNames: [
              ...pools.map((pool) => poolLeaseName(leaderElection, pool)),
              ...(placement.enabled ? [placementLeaseName(leaderElection)] : []),
            ],
          },
        }
      : {}),
    ...(admission.enabled
      ? { admission: { namespace: admission.namespace, rules: admission.carrier !== 'policy' } }
      : {}),
    ...(link.image === undefined ? {} : { link: { namespace: link.namespace } }),
  };
}
