export { backoffMs, type BackoffSteps, doubledMs } from './backoff.ts';
export { type Clock, systemClock, type Timing } from './clock.ts';
export type {
  ClusterConfig,
  Impersonation,
  OutgoingRequest,
  SignatureHeaders,
  SignRequest,
} from './config/cluster-config.ts';
export {
  type CredentialGeneration,
  type Credentials,
  type CredentialSource,
  type RefreshedCredentialsOptions,
  refreshedCredentials,
  staticCredentials,
} from './config/credentials.ts';
export { type InClusterOptions, inClusterConfig } from './config/in-cluster.ts';
export { type LoadKubeconfigOptions, loadKubeconfig } from './config/kubeconfig.ts';
export { readText, UnreadableFileError, whyUnreadable } from './config/read-text-file.ts';
export { type Place, parseYaml, type YamlDocument, YamlError, type YamlMistake } from './config/yaml.ts';
export { namespacedTypes } from './discovery.ts';
export {
  type ApiAnswer,
  ApiError,
  type ApiErrorKind,
  errorMessage,
  isAborted,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isInvalid,
  isNotFound,
  isRetryable,
  isTooManyRequests,
  isUnauthorized,
  KubeconfigError,
  TransportError,
  type TransportErrorKind,
} from './errors.ts';
export type { EventContent, ObjectReferenceLike } from './events/event-object.ts';
export { EventRecorder, type EventRecorderOptions } from './events/event-recorder.ts';
export type * from './generated/index.ts';
export * from './generated/resources.ts';
export type { Evidence } from './informer/history.ts';
export { Informer, type InformerHandlers, type ReflectorOptions } from './informer/informer.ts';
export { Sharing, withPartsOf } from './informer/sharing.ts';
export { parseObject } from './resources/object-json.ts';
export type { IndexFunction, Store } from './informer/store.ts';
export { type Logger, silentLogger } from './logger.ts';
export {
  controllerOf,
  keyOf,
  nameOf,
  namespaceOf,
  objectKey,
  refOf,
  isOlder,
  resourceVersionOf,
  uidOf,
} from './meta.ts';
export { type MissingRight, missingRightOf } from './missing-right.ts';
export { claimed as claimedLease } from './leader/election.ts';
export { type LeaderElectionOptions, runLeaderElection } from './leader/leader-election.ts';
export { type Leadership, LeadershipLostError } from './leader/tenure.ts';
export { type NodeLeaseOptions, runNodeLease } from './lease/node-lease.ts';
export {
  bucketRateLimiter,
  exponentialRateLimiter,
  maxOfRateLimiters,
  type RateLimiter,
} from './queue/rate-limiter.ts';
export { WorkQueue, type WorkQueueOptions } from './queue/work-queue.ts';
export type { KubeList, KubeObject, ObjectRef, ResourceType } from './resource-type.ts';
export type { JsonPatchOperation, Patch } from './resources/patch.ts';
export type {
  ApplyOptions,
  CallOptions,
  CreateOptions,
  DeleteCollectionOptions,
  GetOptions,
  ListOptions,
  ResourceClient,
  WatchOptions,
  WriteOptions,
} from './resources/resource-client.ts';
export type { DeleteOptions as DeleteCallOptions } from './resources/resource-client.ts';
export type { WatchEvent } from './resources/watch.ts';
export { resourcePath } from './resources/paths.ts';
export { nanosecondsOf } from './timestamp.ts';
export { TokenBucket } from './token-bucket.ts';
export { KubeClient, type KubeClientOptions } from './transport/client.ts';
export type { LaneName, LaneOptions } from './transport/lanes.ts';
export type { UpgradeTarget } from './transport/upgrade.ts';
export type { KubeRequest, KubeStream, QueryValue, RequestRecord } from './transport/request.ts';
