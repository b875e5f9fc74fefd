import type { KubeObject, Secret, Service } from '@spillway/kube';
import { expect, it } from 'vitest';
import { deploymentIn, objectsOf, simulatedPool, usualOptions } from '../testing/installations.ts';
import type { InstallationOptions } from './installation.ts';
import { choicesOf } from './options-of.ts';

const isService = (object: KubeObject): object is Service =>
  object.kind === 'Service' && object.metadata?.name === 'spillway-link';
const isFiles = (object: KubeObject): object is Secret => object.metadata?.name === 'spillway-files';

const linked = `${simulatedPool}link: {image: "registry.example.com/agent:1"}\n`;
const all: Partial<InstallationOptions> = {
  imagePullSecrets: ['pull'],
  replicas: 3,
  resources: { requests: { cpu: '1' } },
  priorityClassName: 'important',
  nodeSelector: { 'kubernetes.io/arch': 'arm64' },
  tolerations: [{ key: 'infra', operator: 'Exists' }],
  stateClaim: 'ledger',
  mounts: [{ secret: 'login', folder: '/etc/spillway/cci' }],
  files: [
    { file: '0-one.yaml', content: Buffer.from('1') },
    { file: '1-two/a', content: Buffer.from('2') },
    { file: '1-two/b', content: Buffer.from('3') },
  ],
  linkService: { type: 'LoadBalancer', annotations: { 'kubernetes.io/elb.class': 'union' } },
};

it.each<[string, Partial<InstallationOptions>]>([
  ['the usual ones', {}],
  ['all that there are', all],
])('an upgrade keeps what was chosen at the installation: %s', (_, chosen) => {
  const options = { ...usualOptions, ...chosen };
  const objects = objectsOf(linked, options);
  const { abilities: _abilities, ownsNamespace: _owns, ownsDefinition: _defines, ...choices } = options;
  const found = choicesOf({
    deployment: deploymentIn(objects),
    linkService: objects.find(isService),
    filesSecret: objects.find(isFiles),
  });
  expect(found).toEqual({ stateClaim: undefined, ...choices });
  expect(objectsOf(linked, { ...found })).toEqual(objectsOf(linked, options));
});

it('an installation whose uninstall was interrupted gets its pods back', () => {
  const stopped = deploymentIn(objectsOf(linked, { replicas: 0 }));
  expect(choicesOf({ deployment: stopped, linkService: undefined, filesSecret: undefined }).replicas).toBe(1);
});
