import { type KubeClient, type Logger, systemClock } from '@spillway/kube';
import type { ServingCertificateConfig } from '../config/config.ts';
import { CsrCertificateSource } from '../kubelet/certificate/csr-source.ts';
import { FileCertificateSource } from '../kubelet/certificate/file-source.ts';
import type { ServingCertificateSource } from '../kubelet/certificate/key-pair.ts';
import { kubeSigningRequests } from '../kubelet/certificate/signing-requests.ts';

export interface CertificateSourceOptions {
  readonly config: ServingCertificateConfig;
  readonly nodeName: string;
  readonly address: string;
  /** Requests as the node. */
  readonly agent: KubeClient;
  /** Approves, if the configuration says so. */
  readonly controller: KubeClient;
  readonly logger: Logger;
}

/** Where the serving certificate of the kubelet API comes from. */
export function certificateSource(options: CertificateSourceOptions): ServingCertificateSource {
  const { config, nodeName, address, agent, controller, logger } = options;
  if (config.files) {
    const { cert: certFile, key: keyFile } = config.files;
    return new FileCertificateSource({ certFile, keyFile, logger, clock: systemClock });
  }
  const requests = kubeSigningRequests({
    nodeName,
    nodeClient: agent,
    ...(config.csr?.approve === true ? { approver: controller } : {}),
  });
  return new CsrCertificateSource({ nodeName, addresses: [address, nodeName], requests, logger, clock: systemClock });
}
