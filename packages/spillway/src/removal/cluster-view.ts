import type { CertificateSigningRequest, CustomResourceDefinition, KubeObject, Lease, Node, Pod } from '@spillway/kube';

/** What an installation has in its cluster. */
export interface ClusterView {
  /** Labelled as of this installation, in the order in which it is removed. */
  readonly admission: readonly KubeObject[];
  /** The Deployment, and what it is made of. */
  readonly workload: readonly KubeObject[];
  readonly rights: readonly KubeObject[];
  /** The virtual nodes of the pools that are there. */
  readonly nodes: readonly Node[];
  /** Nodes that have the name of a pool's and are not ours. */
  readonly foreignNodes: readonly Node[];
  /** Virtual nodes of Spillway that are in no pool of the configuration. */
  readonly otherNodes: readonly Node[];
  /** On the virtual nodes. */
  readonly pods: readonly Pod[];
  /** That wait for Spillway, and would for ever. */
  readonly waiting: readonly Pod[];
  readonly leases: readonly Lease[];
  /** For serving certificates of the virtual nodes. */
  readonly signingRequests: readonly CertificateSigningRequest[];
  /** In which Helm keeps the revisions of the release that this installation is. */
  readonly records: readonly KubeObject[];
  /** Of releases of which this installation is a part. */
  readonly otherRecords: readonly KubeObject[];
  /** With the label of Spillway. Those of several installations. */
  readonly namespaces: readonly KubeObject[];
  readonly definition: CustomResourceDefinition | undefined;
  readonly profiles: readonly KubeObject[];
  /** Workloads that hibernate, and what they were before. */
  readonly hibernating: readonly KubeObject[];
  /** Names of other installations in the cluster. */
  readonly neighbours: readonly string[];
}
