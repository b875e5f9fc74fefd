import { agnhostVersion } from '../binaries/catalogue.ts';

/** Names of the images that every cluster's registry has. What they hold: {@link file://./catalogue.ts}. */
export const pauseImage = 'registry.k8s.io/pause:3.10';
export const busyboxImage = 'docker.io/library/busybox:latest';
export const centosImage = 'docker.io/library/centos:latest';
export const agnhostImage: string = `registry.k8s.io/e2e-test-images/agnhost:${agnhostVersion}`;
