/**
 * Values that stand for what differs between installations, in objects from which templates are made. Each is valid where it stands
 * and occurs nowhere else.
 */
export const marks = {
  name: 'zzname',
  namespace: 'zznamespace',
  image: 'zzimage',
  priority: 'zzpriority',
  lease: 'zzlease',
  webhookService: 'zzservice',
  webhookUrl: 'https://zzurl',
  claim: 'zzclaim',
  configText: 'zzconfig',
  taintKey: 'zztaint',
  nodeName: 'zznode',
  poolName: 'zzpool',
  pullSecret: 'zzpull',
  secret: 'zzsecret',
  folder: '/zzfolder',
  linkType: 'NodePort',
  replicas: 64_001,
  healthPort: 64_002,
  webhookPort: 64_003,
  linkPort: 64_004,
  kubeletPort: 64_005,
  uninstallSeconds: 64_006,
} as const;

/** A map with this key alone stands for one whose content is a value of the facts, named there. */
export const spliceKey = 'zzsplice';

/** What replaces a mark. `$s` are the facts: see `facts.tpl`. */
export const replacements: readonly (readonly [mark: string, template: string])[] = [
  [marks.namespace, '$s.namespace'],
  [marks.name, '$s.name'],
  [marks.image, '$s.image'],
  [marks.priority, '$s.priorityClassName'],
  [marks.lease, '$s.leaseName'],
  [marks.webhookService, '$s.webhookService'],
  [marks.webhookUrl, '$s.webhookUrl'],
  [marks.claim, '$s.stateClaim'],
  [marks.nodeName, '$pool.nodeName'],
  [marks.poolName, '$pool.name'],
  ['kubelet-0', '"kubelet-" $index'],
  ['secret-0', '"secret-" $index'],
  [marks.pullSecret, '$secret'],
  [marks.linkType, '$s.linkService.type'],
  [marks.secret, '$mount.name'],
  [marks.folder, '$mount.folder'],
  [String(marks.replicas), '$s.replicas'],
  [String(marks.healthPort), '$s.healthPort'],
  [String(marks.webhookPort), '$s.webhookPort'],
  [String(marks.linkPort), '$s.linkPort'],
  [String(marks.kubeletPort), '$pool.kubeletPort'],
  [String(marks.uninstallSeconds), '$s.uninstallSeconds'],
];

/** Elements of lists with these marks stand for one element of each of many. */
export const ranges: readonly { readonly marks: readonly string[]; readonly over: string }[] = [
  {
    marks: [marks.nodeName, marks.poolName, String(marks.kubeletPort), 'kubelet-0'],
    over: '$index, $pool := $s.pools',
  },
  { marks: [marks.pullSecret], over: '$secret := $s.imagePullSecrets' },
  { marks: [marks.secret, marks.folder], over: '$index, $mount := $s.secrets' },
];

/** Lists within expressions of policies. */
export const inlineLists: readonly (readonly [list: string, template: string])[] = [
  [`["",${JSON.stringify(marks.nodeName)}]`, '{{ concat (list "") $s.nodeNames | toJson }}'],
  [`[${JSON.stringify(marks.nodeName)}]`, '{{ $s.nodeNames | toJson }}'],
  [`[${JSON.stringify(marks.taintKey)}]`, '{{ $s.taintKeys | toJson }}'],
];
