export { attachCluster, canRunContainers, startCluster } from './cluster/start.ts';
export { downCluster, type DownOptions } from './cluster/down.ts';
export { peer, peerOf, type PeeringOptions } from './cluster/peering.ts';
export { statusOfClusters, type ClusterStatus } from './cluster/status.ts';
export type {
  Cluster,
  ComponentHandle,
  ContainerdFacts,
  Identity,
  KubectlOptions,
  PoolFacts,
} from './cluster/cluster.ts';
export type { ComponentName } from './components/component.ts';
export type { ClusterOptions, NodeOptions, PoolOptions } from './options.ts';
export type { ExecResult } from './exec.ts';
export type { CertificateRequest, KeyPair } from './pki/authority.ts';
export type { ComponentStatus, ControlStatus } from './supervisor/control.ts';
export { abilitiesOf, knownKubernetesVersion, type KubernetesVersion } from './kubernetes-version.ts';
export { currentEnvironment, type Environment } from './environment.ts';
export { inspectHost, type HostReport } from './host/report.ts';
export { resolveE2e, type E2e } from './binaries/e2e.ts';
export { resolveOlderKubectls } from './binaries/older-kubectls.ts';
export { resolveKwok, type Kwok } from './binaries/kwok.ts';
export type { BinaryProgress } from './binaries/resolve.ts';
export { busyboxFiles } from './images/catalogue.ts';
export { agnhostImage, busyboxImage, centosImage, pauseImage } from './images/names.ts';
export { buildImage, layerOf, type Blob, type Image, type ImageSpec } from './images/oci.ts';
export { pushImage } from './images/push.ts';
export type { TarEntry } from './images/tar.ts';
export { DevClusterError, type DevClusterErrorKind } from './errors.ts';
