// Every reason for which a pod may be refused, in one table: docs/not-burstable.md lists it, and a test compares the two.

export type RefusalCode = keyof typeof reviewRules;

/** A message has no full stop: what is special about the pod may follow. */
export const reviewRules = {
  'daemonset-pod': {
    message: 'pods of a DaemonSet do not run on virtual nodes',
    remedy: 'Exclude nodes with the label type=virtual-kubelet in the node affinity of the DaemonSet.',
  },
  'did-not-ask': {
    message: 'the pod tolerates every taint, but did not ask to burst',
    remedy:
      'To run it here, add the label virtual-kubelet.io/burst-to-cci=enforce. To keep it away, exclude nodes with the label type=virtual-kubelet in its node affinity.',
  },

  'quantity-unusable': {
    message: 'the amount is not valid',
    remedy: 'Use an amount of zero or more, such as 500m of cpu or 1Gi of memory.',
  },
  'pod-resources-unsupported': {
    message: 'the pool does not support resources of the pod as a whole',
    remedy: 'Set requests or limits of the containers instead.',
  },
  'no-cpu': {
    message: 'no container requests CPU, and the pool bills pods by their CPU',
    remedy: 'Set a request or a limit of cpu for at least one container.',
  },
  'cpu-too-large': {
    message: 'the pod needs more CPU than the largest pod of the pool has',
    remedy: 'Request less, split the pod, or run it on a node of the cluster.',
  },
  'memory-too-large': {
    message: 'the pod needs more memory than the largest pod of the pool has',
    remedy: 'Request less, split the pod, or run it on a node of the cluster.',
  },
  'ephemeral-storage-too-large': {
    message: 'the pod requests more ephemeral-storage than pods of the pool have',
    remedy: 'Request less, use a volume, or run the pod on a node of the cluster.',
  },
  'cpu-not-offered': {
    message: 'the pool does not offer pods with this amount of CPU',
    remedy: 'Set the limits of cpu so that the pod needs an amount that the pool offers.',
  },
  'memory-not-offered': {
    message: 'the pool does not offer pods with this amount of memory',
    remedy: 'Set the limits of memory so that the pod needs an amount that the pool offers.',
  },
  'ratio-not-offered': {
    message: 'the pool does not offer pods with this ratio of memory to CPU',
    remedy: 'Set limits so that the pod has from 2Gi to 8Gi of memory for each CPU.',
  },
  'container-size-not-offered': {
    message: 'the pool does not offer containers of this size',
    remedy: 'Set limits of cpu in steps of 250m, and of memory of at least 0.2Gi, for each container.',
  },
  'requests-differ': {
    message: 'requests and limits differ, and the pool requires that they are equal',
    remedy: 'Set requests and limits of cpu and memory to the same amounts.',
  },
  'too-many-containers': {
    message: 'the pod has more containers than a pod of the pool can have',
    remedy: 'Split the pod, or run it on a node of the cluster.',
  },

  'host-namespace-unsupported': {
    message: 'pods of the pool cannot use the network, process or IPC namespace of a node',
    remedy: 'Run the pod on a node of the cluster: remove the label or the toleration that lets it burst.',
  },
  'user-namespace-unsupported': {
    message: 'the pool does not support user namespaces',
    remedy: 'Remove hostUsers: false.',
  },
  'os-unsupported': {
    message: 'the pool runs Linux pods only',
    remedy: 'Run the pod on a node of the cluster: remove the label or the toleration that lets it burst.',
  },
  'architecture-unsupported': {
    message: 'the pool has amd64 machines only',
    remedy:
      'Build the image for amd64 too and remove the node selector or affinity, or run the pod on a node of the cluster.',
  },
  'runtime-class-unsupported': {
    message: 'the pool does not support runtime classes',
    remedy: 'Remove runtimeClassName.',
  },
  'volume-unsupported': {
    message:
      'the pool does not support volumes of this kind, but emptyDir, configMap, secret, downwardAPI, projected and persistentVolumeClaim volumes',
    remedy: 'Run the pod on a node of the cluster: remove the label or the toleration that lets it burst.',
  },
  'claim-storage-unsupported': {
    message: 'the pool cannot mount the storage of a PersistentVolumeClaim',
    remedy:
      'Use a claim whose volume is in SFS or SFS Turbo, with a CSI storage class (csi-nas, csi-sfsturbo), or run the pod on a node of the cluster.',
  },
  'claim-sfs-unsupported': {
    message: 'the pool mounts SFS Turbo only',
    remedy:
      'Use a claim with the storage class csi-sfsturbo, or a pool with apiVersion: v1, or run the pod on a node of the cluster.',
  },
  'claim-not-mapped': {
    message: 'the pool knows no claim of the other cluster for this PersistentVolumeClaim',
    remedy:
      'Name one under claims in the backend of the pool in the configuration, or run the pod on a node of the cluster.',
  },
  'projection-unsupported': {
    message: 'the pool does not support this source of a projected volume',
    remedy: 'Use the sources configMap, secret, downwardAPI or serviceAccountToken.',
  },
  'empty-dir-medium-unsupported': {
    message: 'the pool does not support this medium of an emptyDir volume',
    remedy: 'Use the default medium or Memory.',
  },
  'empty-dir-sub-path-unsupported': {
    message: 'the pool cannot mount a part of an emptyDir volume (subPath or subPathExpr)',
    remedy: 'Mount the volume as a whole, or use one emptyDir volume for each mount.',
  },
  'sidecar-unsupported': {
    message: 'the pool does not support this restart policy of a single container',
    remedy: 'Set the restart policy of the pod, or run the pod on a node of the cluster.',
  },
  'startup-probe-by-tcp-unsupported': {
    message: 'the pool does not support startup probes by TCP',
    remedy: 'Use httpGet or exec for the startup probe.',
  },
  'lifecycle-unsupported': {
    message: 'the pool does not support this lifecycle hook or stop signal yet',
    remedy:
      'Handle SIGTERM in the container in place of a preStop hook, and do the work of a postStart hook in the entrypoint.',
  },
  'ephemeral-containers-unsupported': {
    message: 'containers cannot be added to a pod that runs in the pool',
    remedy: 'Use kubectl exec, or debug a copy of the pod: kubectl debug POD --copy-to=NAME --image=IMAGE.',
  },
  'resource-unsupported': {
    message: 'the pool offers cpu, memory and ephemeral-storage, and no other resources',
    remedy: 'Run the pod on a node of the cluster: remove the label or the toleration that lets it burst.',
  },
  'privileged-unsupported': {
    message: 'the pool does not support privileged containers',
    remedy: 'Remove privileged, or run the pod on a node of the cluster.',
  },
  'security-profile-unsupported': {
    message: 'the pool has no security profiles that are files of a node',
    remedy: 'Use RuntimeDefault or Unconfined.',
  },
  'proc-mount-unsupported': {
    message: 'the pool does not support an unmasked /proc',
    remedy: 'Remove procMount.',
  },
  'supplemental-groups-policy-unsupported': {
    message: 'the pool supports the supplemental groups policy Merge only',
    remedy: 'Remove supplementalGroupsPolicy.',
  },
  'mount-option-unsupported': {
    message: 'the pool does not support this way of mounting a volume',
    remedy: 'Remove the field.',
  },
  'env-source-unsupported': {
    message: 'the pool does not support environment variables from files',
    remedy: 'Use a ConfigMap or a Secret.',
  },
  'image-change-unsupported': {
    message: 'the pool cannot change the image of a container that runs',
    remedy: 'Replace the pod, or set the image back to what it was.',
  },
  'resize-unsupported': {
    message: 'the pool cannot change the resources of a pod that runs',
    remedy: 'Replace the pod with one that has the new resources, or set them back to what they were.',
  },
  'field-not-offered': {
    message: 'the service that runs the pods of the pool does not accept the field',
    remedy: 'Remove the field, or run the pod on a node of the cluster.',
  },
  'field-unsupported': {
    message: 'this version of Spillway does not know the field and cannot pass it on',
    remedy: 'Remove the field, or run the pod on a node of the cluster.',
  },
} as const;
