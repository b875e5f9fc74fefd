// Every reason for which a pod may be refused, in one table: docs/not-burstable.md lists it, and a test compares the two.

export type RefusalCode = keyof typeof reviewRules;

/** A message has no full stop: what is special about the pod may follow. */
export const reviewRules = {
  'daemonset-pod': {
    message: 'pods of a DaemonSet are not run on a virtual node',
    remedy: "Exclude nodes with the label type=virtual-kubelet in the DaemonSet's node affinity.",
  },
  'did-not-ask': {
    message: 'the pod came here only because it tolerates every taint; it did not ask to burst',
    remedy:
      'To run it here, label it virtual-kubelet.io/burst-to-cci=enforce; to keep it away, exclude nodes with the label type=virtual-kubelet in its node affinity.',
  },

  'quantity-unusable': {
    message: 'the amount cannot be used',
    remedy: 'Write an amount of zero or more, such as 500m of cpu or 1Gi of memory.',
  },
  'pod-resources-unsupported': {
    message: 'resources of the pod as a whole are not supported by the sizes of this pool',
    remedy: 'Set requests or limits of the containers instead.',
  },
  'no-cpu': {
    message: 'no container of the pod says how much CPU it needs, and such a pod cannot be had from this pool',
    remedy: 'Set a request or a limit of cpu for at least one container.',
  },
  'cpu-too-large': {
    message: 'the pool has no pods with so much CPU',
    remedy: 'Request less, split the pod, or run it on a node of the cluster.',
  },
  'memory-too-large': {
    message: 'the pool has no pods with so much memory',
    remedy: 'Request less, split the pod, or run it on a node of the cluster.',
  },
  'cpu-not-offered': {
    message: 'the pool has no pods with exactly this amount of CPU',
    remedy: 'Set the limits of cpu so that the pod comes to an amount that is offered.',
  },
  'memory-not-offered': {
    message: 'the pool has no pods with exactly this amount of memory',
    remedy: 'Set the limits of memory so that the pod comes to an amount that is offered.',
  },
  'ratio-not-offered': {
    message: 'the memory of the pod does not go with its CPU',
    remedy: 'Set limits so that the pod has from 2Gi to 8Gi of memory for each CPU.',
  },
  'container-size-not-offered': {
    message: 'the pool has no containers of this size',
    remedy: 'Set limits of cpu in steps of 250m and of at least 0.2Gi of memory for each container.',
  },
  'requests-differ': {
    message: 'the pool demands that requests equal limits',
    remedy: 'Set requests and limits of cpu and memory to the same amounts.',
  },
  'too-many-containers': {
    message: 'the pod has more containers than the pool takes',
    remedy: 'Split the pod, or run it on a node of the cluster.',
  },

  'host-namespace-unsupported': {
    message: 'the pool has no access to the namespaces of a node',
    remedy: 'Run the pod on a node of the cluster: leave out the toleration or label that lets it burst.',
  },
  'user-namespace-unsupported': {
    message: 'user namespaces are not supported',
    remedy: 'Leave out hostUsers: false.',
  },
  'os-unsupported': {
    message: 'only Linux pods can run here',
    remedy: 'Run the pod on a node of the cluster: leave out the toleration or label that lets it burst.',
  },
  'architecture-unsupported': {
    message: 'the pool has amd64 machines only',
    remedy:
      'Build the image for amd64 too and leave out the node selector or affinity, or run the pod on a node of the cluster.',
  },
  'runtime-class-unsupported': {
    message: 'runtime classes are not supported',
    remedy: 'Leave out runtimeClassName.',
  },
  'volume-unsupported': {
    message: 'this kind of volume is not supported; emptyDir, configMap, secret, downwardAPI and projected are',
    remedy: 'Run the pod on a node of the cluster: leave out the toleration or label that lets it burst.',
  },
  'volume-claim-unsupported': {
    message: 'volumes of PersistentVolumeClaims are not supported yet in this pool; a later release brings them',
    remedy: 'Run the pod on a node of the cluster: leave out the toleration or label that lets it burst.',
  },
  'projection-unsupported': {
    message: 'this source of a projected volume is not supported',
    remedy: 'Project configMap, secret, downwardAPI or serviceAccountToken.',
  },
  'empty-dir-medium-unsupported': {
    message: 'the medium is not supported',
    remedy: 'Use the default medium or Memory.',
  },
  'empty-dir-sub-path-unsupported': {
    message: 'the pool cannot mount a part of an emptyDir',
    remedy: 'Mount the emptyDir as a whole, or use one emptyDir for each mount.',
  },
  'sidecar-unsupported': {
    message: 'the pool does not offer a restart policy of a single container',
    remedy: 'Set the restart policy of the pod, or run the pod on a node of the cluster.',
  },
  'startup-probe-by-tcp-unsupported': {
    message: 'the pool has no startup probes by TCP',
    remedy: 'Use httpGet or exec for the startup probe.',
  },
  'lifecycle-unsupported': {
    message: 'lifecycle hooks and stop signals are not supported yet',
    remedy: 'Handle SIGTERM in the container instead of preStop, start-up work in the entrypoint instead of postStart.',
  },
  'ephemeral-containers-unsupported': {
    message: 'a pod of this pool cannot get another container',
    remedy: 'Use kubectl exec, or debug a copy of the pod: kubectl debug POD --copy-to=NAME --image=IMAGE.',
  },
  'resource-unsupported': {
    message: 'the pool offers cpu, memory and ephemeral-storage only',
    remedy: 'Run the pod on a node of the cluster: leave out the toleration or label that lets it burst.',
  },
  'privileged-unsupported': {
    message: 'the pool has no privileged containers',
    remedy: 'Leave out privileged, or run the pod on a node of the cluster.',
  },
  'security-profile-unsupported': {
    message: 'profiles on a node’s disk are not there',
    remedy: 'Use RuntimeDefault or Unconfined.',
  },
  'proc-mount-unsupported': {
    message: 'an unmasked /proc is not supported',
    remedy: 'Leave out procMount.',
  },
  'supplemental-groups-policy-unsupported': {
    message: 'only the policy Merge is supported',
    remedy: 'Leave out supplementalGroupsPolicy.',
  },
  'mount-option-unsupported': {
    message: 'this way of mounting is not supported',
    remedy: 'Leave the option out.',
  },
  'env-source-unsupported': {
    message: 'variables from files are not supported',
    remedy: 'Use a ConfigMap or a Secret.',
  },
  'image-change-unsupported': {
    message: 'the pool cannot change the image of a pod that runs',
    remedy: 'Replace the pod, or set the image back to what it was.',
  },
  'resize-unsupported': {
    message: 'the pool cannot change the resources of a pod that runs',
    remedy: 'Replace the pod by one with the new resources, or set them back to what they were.',
  },
  'field-not-offered': {
    message: 'the service that runs the pods of the pool does not take the field',
    remedy: 'Leave the field out, or run the pod on a node of the cluster.',
  },
  'field-unsupported': {
    message: 'this version of Spillway does not know the field, and would leave it out',
    remedy: 'Leave the field out, or run the pod on a node of the cluster.',
  },
} as const;
