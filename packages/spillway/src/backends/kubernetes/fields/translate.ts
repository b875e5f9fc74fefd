import type { Container, EphemeralContainer, LocalObjectReference, Pod, PodSpec } from '@spillway/kube';
import { passedPart } from '../../../podspec/fit/fields.ts';
import { travellingAnnotations, travellingLabels } from '../../../podspec/travelling.ts';
import type { Notice, Owner, Workload } from '../../backend.ts';
import { trusted } from '../../trusted.ts';
import { type Copies, CopyNames, copiesOf } from '../copies/copies.ts';
import type { Dialect } from '../dialect.ts';
import { ClaimMounts } from './claim-mounts.ts';
import { environmentOf } from './environment.ts';
import { ephemeralContainerFields } from './pod-fields.ts';
import { passedAnnotation, passedOf } from '../changes/passed.ts';
import { contentAnnotation, podMarks, revisionAnnotation } from '../pods/marks.ts';
import { withHosts, writerFor } from './hosts-file.ts';
import { identityOf, noticesOf } from './identity.ts';
import { podName } from '../pods/names.ts';
import { digestOf, OwnFiles } from './own-files.ts';
import { volumesOf } from './volumes.ts';

/** What a pod is in the other cluster, and what has to be there before it. */
export interface Translation {
  readonly pod: Pod;
  /** Copies of the cluster's objects, which pods share, and objects of this pod alone. */
  readonly copies: Copies;
  /** What the pod gets when it is there: none can be created with any. */
  readonly ephemeralContainers: readonly EphemeralContainer[];
  /** What of the pod is otherwise there. */
  readonly notices: readonly Notice[];
}

export interface TranslateOptions {
  readonly dialect: Dialect;
  readonly owner: Owner;
  /** In the other cluster. */
  readonly namespace: string;
  /** Does the cluster know `spec.hostnameOverride`? Default: it does not */
  readonly hostnameOverride?: boolean;
  /** An image with a shell, `sh`, for the hosts files of pods. Default: that of the pod's own containers, if they have one. */
  readonly hostsImage?: string | undefined;
}

/** Pure. The pod has passed the review, and is sized already. */
export function translate(workload: Workload, options: TranslateOptions): Translation {
  const { dialect, owner, namespace, hostnameOverride = false, hostsImage } = options;
  const { ref, pod } = workload;
  const names = new CopyNames(owner, ref.namespace);
  const files = new OwnFiles(workload);
  const claims = new ClaimMounts(workload, dialect.claims, owner);
  const own = { labels: travellingLabels(pod), annotations: travellingAnnotations(pod, dialect.support.annotations) };
  const { labels, annotations } = podMarks(owner, ref);
  const identity = identityOf(workload, hostnameOverride);
  const { ephemeralContainers = [], ...plain } = {
    ...specOf(workload, dialect, { names, files, claims }),
    ...identity.spec,
  };
  const writer = identity.names && dialect.hostsFile.canBeWritten ? writerFor(plain, hostsImage) : undefined;
  const spec = identity.names && writer ? withHosts(plain, identity.names, writer) : plain;
  const shared = copiesOf(names, workload.objects, { owner, from: ref.namespace, to: namespace });
  const mine = files.objects(owner, namespace);
  return {
    ephemeralContainers,
    notices: noticesOf(identity, { written: writer !== undefined, remedy: dialect.hostsFile.remedy }),
    pod: {
      metadata: {
        namespace,
        name: podName(ref),
        labels: { ...own.labels, ...labels },
        annotations: {
          ...own.annotations,
          ...dialect.annotations(pod, owner),
          ...annotations,
          [contentAnnotation]: digestOf(filesOf(workload)),
          [passedAnnotation]: JSON.stringify(passedOf(own.labels, own.annotations, { spec: plain })),
          [revisionAnnotation]: workload.revision,
        },
        ...(dialect.finalizer !== undefined && { finalizers: [dialect.finalizer] }),
      },
      spec,
    },
    copies: {
      configMaps: [...shared.configMaps, ...mine.configMaps],
      secrets: [...shared.secrets, ...mine.secrets],
      claims: claims.copies(namespace),
    },
  };
}

interface Parts {
  readonly names: CopyNames;
  readonly files: OwnFiles;
  readonly claims: ClaimMounts;
}

function specOf(workload: Workload, dialect: Dialect, { names, files, claims }: Parts): PodSpec {
  const { pod } = workload;
  const { containers = [], initContainers, ephemeralContainers = [] } = pod.spec ?? {};
  const volumes = volumesOf(pod, { copies: names, own: files, claims, accessToken: dialect.support.accessToken });
  const kept = new Set(volumes.map((volume) => volume.name));
  const passed = trusted<PodSpec>(passedPart(pod.spec ?? {}, dialect.support.fields));
  const added = trusted<EphemeralContainer[]>(passedPart(ephemeralContainers, ephemeralContainerFields));
  const complete = (originals: readonly Container[], parts: readonly Container[] = []): Container[] =>
    originals.map((original, index) => ({
      name: original.name,
      ...parts[index],
      ...environmentOf(original, workload, names, dialect),
      volumeMounts: (original.volumeMounts ?? []).flatMap((mount) =>
        kept.has(mount.name) ? [claims.mount(mount)] : [],
      ),
    }));
  return {
    ...passed,
    containers: complete(containers, passed.containers),
    ...(initContainers && { initContainers: complete(initContainers, passed.initContainers) }),
    ephemeralContainers: complete(ephemeralContainers, added),
    volumes,
    imagePullSecrets: pullSecretsOf(workload, dialect, names),
    ...dialect.dns(workload.dns),
    enableServiceLinks: false,
    automountServiceAccountToken: false,
  };
}

function pullSecretsOf({ pod, objects }: Workload, { pullSecret }: Dialect, names: CopyNames): LocalObjectReference[] {
  if (pullSecret !== undefined) return [{ name: pullSecret }];
  return (pod.spec?.imagePullSecrets ?? []).flatMap(({ name = '' }) =>
    objects.secrets.has(name) ? [{ name: names.secret(name) }] : [],
  );
}

function filesOf({ volumes }: Workload): Parameters<typeof digestOf>[0] {
  return new Map(Array.from(volumes, ([name, volume]) => [name, volume.kind === 'files' ? volume.files : []] as const));
}
