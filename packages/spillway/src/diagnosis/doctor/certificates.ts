import { type CertificateSigningRequest, nameOf, type Node } from '@spillway/kube';
import { signingState } from '../../kubelet/certificate/signing-state.ts';
import { isVirtual } from '../why.ts';
import { type Check, type Finding, named } from './view.ts';

/** Spillway approves its own requests at once where it may. */
const usualWaitMs = 10_000;

/** Without a serving certificate the API server does not talk to a virtual node: pods run, and nobody sees their logs. */
export const checkServingCertificates: Check = ({ nodes, signingRequests, nowMs }) =>
  nodes.filter(isVirtual).flatMap((node) => {
    const own = signingRequests.filter(
      ({ spec }) =>
        spec.signerName === 'kubernetes.io/kubelet-serving' && spec.username === `system:node:${nameOf(node)}`,
    );
    const newest = own.toSorted((a, b) => createdMs(b) - createdMs(a))[0];
    return newest === undefined ? [] : findingsOf(node, newest, nowMs);
  });

function findingsOf(node: Node, request: CertificateSigningRequest, nowMs: number): readonly Finding[] {
  const state = signingState(request);
  if (state.kind === 'issued') return [];
  if (state.kind !== 'refused' && nowMs - createdMs(request) < usualWaitMs) return [];
  const name = nameOf(request);
  const answers = {
    pending: ['nobody has approved', `kubectl certificate approve ${name}`],
    approved: ['nobody has signed', 'Check that kube-controller-manager is running with its signers enabled.'],
    refused: [
      `the cluster refused (${state.kind === 'refused' ? state.why : ''})`,
      'Allow it: Spillway requests it again automatically.',
    ],
  } as const;
  const [what, remedy] = answers[state.kind];
  return [
    {
      code: 'serving-certificate-missing',
      severity: 'warning',
      object: named('Node', node),
      message: `${what} its serving certificate, request ${name}: without one, logs, exec, attach and port-forward fail`,
      remedy,
    },
  ];
}

const createdMs = ({ metadata }: CertificateSigningRequest): number =>
  Date.parse(metadata?.creationTimestamp ?? '') || 0;
