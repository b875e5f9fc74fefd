// What Spillway writes into a cluster is on a page: reasons of events and conditions, and names of labels and annotations.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const src = import.meta.dirname;
const docs = join(src, '../../../docs');

/** What only the kubelet of a rehearsal says, or is no reason: of conditions that are always so, of answers of an API server. */
const elsewhere = /^(backends\/simulated|addon|admission|cli|config|install|node|kubelet)\//;
/** As on any node, in statuses only. */
const ofKubernetes = [
  'Completed',
  'ContainerCreating',
  'ContainerStatusUnknown',
  'ContainersNotInitialized',
  'ContainersNotReady',
  'CreateContainerConfigError',
  'PodCompleted',
  'PodFailed',
  'ReadinessGatesNotReady',
  'PodInitializing',
  // What is read of others, and words beside a reason.
  'Gone',
  'NamespaceTerminating',
  'Normal',
  'PodScheduled',
  'Unauthorized',
  'Unknown',
];
/** Where the code puts a reason together. */
const together = ['Mandatory', 'Optional'].flatMap((need) =>
  ['ConfigMap', 'Secret'].map((kind) => `${need}${kind}NotFound`),
);

const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('testing/'))
  .map((path) => ({ path, text: readFileSync(join(src, path), 'utf8') }));

/** Codes of errors in capitals are none. */
const quoted = (text: string): string[] => Array.from(text.matchAll(/'([A-Z]\w*[a-z]\w*)'/g), ([, word = '']) => word);

/** Where they are written: after the word `reason`, as codes that become one, as arguments of `tell`, and in tables of them. */
function reasonsIn(text: string): string[] {
  const places = [
    /\breason\b.*$/gm,
    /\bcode: '[A-Z].*$/gm,
    /\btell\(\s*'[A-Z]\w+'/g,
    /const (?:reasons|noRoomReasons)\b[^;]*;/g,
  ];
  return places.flatMap((place) => Array.from(text.matchAll(place), ([found]) => quoted(found)).flat());
}

const pages = readdirSync(docs).filter((name) => name.endsWith('.md'));
const page = (name: string): string => readFileSync(join(docs, name), 'utf8');

it('every reason of an event or a condition is on the page about what Spillway says', () => {
  const reasons = sources.filter(({ path }) => !elsewhere.test(path)).flatMap(({ text }) => reasonsIn(text));
  const written = [page('observability.md'), page('monitoring.md')].join('\n');
  const known = new Set(Array.from(written.matchAll(/`([A-Z]\w+)`/g), ([, word = '']) => word));
  const prefixes = Array.from(written.matchAll(/`([A-Z]\w+)…`/g), ([, word = '']) => word);
  const all = new Set([...reasons, ...together]);
  expect(all.size).toBeGreaterThan(50);
  expect(
    [...all].filter(
      (reason) =>
        !ofKubernetes.includes(reason) && !known.has(reason) && !prefixes.some((prefix) => reason.startsWith(prefix)),
    ),
  ).toEqual([]);
});

it('every label, annotation and condition under a name of ours is on a page', () => {
  const names = sources.flatMap(({ text }) =>
    Array.from(
      text.matchAll(/'((?:spillway\.dev|scheduling\.cci\.io|bursting\.cci\.io|virtual-kubelet\.cci\.io)\/[\w-]+)'/g),
      ([, name = '']) => name,
    ),
  );
  expect(names.length).toBeGreaterThan(20);
  const written = pages.map(page).join('\n');
  expect([...new Set(names)].filter((name) => !written.includes(name))).toEqual([]);
});
