import { type CertificateSigningRequest, certificateSigningRequests, type KubeClient } from '@spillway/kube';

/** The cluster's certificate requests, as far as a serving certificate needs them. */
export interface SigningRequests {
  /** @param request PEM */
  submit(request: string, signal: AbortSignal): Promise<CertificateSigningRequest>;
  /** Absent when Spillway may not approve. */
  approve?(csr: CertificateSigningRequest, signal: AbortSignal): Promise<void>;
  get(name: string, signal: AbortSignal): Promise<CertificateSigningRequest>;
}

export interface KubeSigningRequestsOptions {
  readonly nodeName: string;
  /** Acts as the node: the signer wants the requester to be who the certificate names. */
  readonly nodeClient: KubeClient;
  /** May approve requests to the signer `kubernetes.io/kubelet-serving`. */
  readonly approver?: KubeClient;
}

export function kubeSigningRequests({ nodeName, nodeClient, approver }: KubeSigningRequestsOptions): SigningRequests {
  const requests = nodeClient.resource(certificateSigningRequests);
  const approvals = approver?.resource(certificateSigningRequests);
  return {
    submit(request, signal) {
      const spec = {
        request: Buffer.from(request).toString('base64'),
        signerName: 'kubernetes.io/kubelet-serving',
        usages: ['digital signature', 'server auth'],
      };
      const metadata = { generateName: 'csr-' };
      return requests.create<CertificateSigningRequest>({ metadata, spec }, { lane: 'node', signal });
    },

    get: (name, signal) => requests.get({ name }, { lane: 'node', signal }),

    ...(approvals && {
      async approve(csr: CertificateSigningRequest, signal: AbortSignal): Promise<void> {
        const message = `Serving certificate of the virtual node ${nodeName}`;
        const approved = { type: 'Approved', status: 'True', reason: 'SpillwayApprove', message };
        const status = { ...csr.status, conditions: [...(csr.status?.conditions ?? []), approved] };
        await approvals.replace<CertificateSigningRequest>({ ...csr, status }, { subresource: 'approval', signal });
      },
    }),
  };
}
