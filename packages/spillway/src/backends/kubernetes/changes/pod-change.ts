import { isDeepStrictEqual } from 'node:util';
import type { Container, Pod } from '@spillway/kube';
import { type Refusal, refusal } from '../../../podspec/review/refusal.ts';
import type { Dialect } from '../dialect.ts';
import { isOfPod } from '../fields/hosts-file.ts';
import { passedAnnotation, type Passed, readPassed } from './passed.ts';

/** What is to be written for a pod there to become another. */
export interface PodChange {
  /** Of the pod itself, as a strategic merge patch of its spec; undefined: nothing. */
  readonly spec: Partial<SpecPatch> | undefined;
  /** Of its subresource `resize`. */
  readonly resize: ContainersPatch | undefined;
  /** The last of it, for it says how far the pod has come. Null removes. */
  readonly metadata: MetadataPatch;
  /** What the cluster there cannot do for pods that run. */
  readonly refused: readonly Refusal[];
}

export interface MetadataPatch {
  readonly labels: Readonly<Record<string, string | null>>;
  readonly annotations: Readonly<Record<string, string | null>>;
}

type ContainerPatch = Pick<Container, 'name'> & Partial<Container>;

type ContainersPatch = Pick<Partial<SpecPatch>, 'containers' | 'initContainers'>;

interface SpecPatch {
  readonly containers: readonly ContainerPatch[];
  readonly initContainers: readonly ContainerPatch[];
  readonly activeDeadlineSeconds: number;
}

/** Pure. `wanted` is the translation of the pod as it is now, `found` the pod that is there. */
export function podChange(found: Pod, wanted: Pod, { changes }: Pick<Dialect, 'changes'>): PodChange {
  const before = readPassed(found);
  const after = readPassed(wanted);
  const deadline = wanted.spec?.activeDeadlineSeconds;
  const isOtherDeadline = deadline !== undefined && deadline !== found.spec?.activeDeadlineSeconds;
  const images = differing(wanted, (container) => isOther(before, after, container.name, 'image'), 'image');
  const resources = differing(wanted, (container) => isOther(before, after, container.name, 'resources'), 'resources');
  const spec = {
    ...images?.patch,
    ...(changes.deadline && isOtherDeadline && { activeDeadlineSeconds: deadline }),
  };
  return {
    spec: Object.keys(spec).length > 0 ? spec : undefined,
    resize: changes.resize ? resources?.patch : undefined,
    metadata: metadataPatch(found, wanted, before, after),
    refused: changes.resize ? [] : refusalsOf('resize-unsupported', resources?.fields),
  };
}

/** What was refused is not passed: it is asked for again when it is wanted again. */
export function withoutRefused(change: PodChange, found: Pod, wanted: Pod, refused: readonly Refusal[]): MetadataPatch {
  const [before, after] = [readPassed(found), readPassed(wanted)];
  const was = (code: Refusal['code']): boolean => refused.some((each) => each.code === code);
  const containers = Object.fromEntries(
    Object.entries(after.containers).map(([name, passed]) => {
      const kept = before.containers[name];
      return [
        name,
        {
          ...passed,
          ...(was('image-change-unsupported') && kept?.image !== undefined && { image: kept.image }),
          ...(was('resize-unsupported') && kept?.resources !== undefined && { resources: kept.resources }),
        },
      ];
    }),
  );
  const passed: Passed = { ...after, containers };
  const annotations = { ...change.metadata.annotations, [passedAnnotation]: JSON.stringify(passed) };
  return { ...change.metadata, annotations };
}

export function refusalsOf(
  code: 'image-change-unsupported' | 'resize-unsupported',
  fields: readonly string[] = [],
  detail?: string,
): Refusal[] {
  return fields.map((field) => refusal(code, field, detail));
}

/** The fields of a patch of containers, as people write them. */
export function fieldsOf(patch: ContainersPatch, wanted: Pod): string[] {
  return (['initContainers', 'containers'] as const).flatMap((list) =>
    (patch[list] ?? []).flatMap(({ name, image, resources }) => {
      const index = wanted.spec?.[list]?.filter(isOfPod).findIndex((container) => container.name === name) ?? 0;
      const at = `spec.${list}[${index}]`;
      return [...(image === undefined ? [] : [`${at}.image`]), ...(resources === undefined ? [] : [`${at}.resources`])];
    }),
  );
}

function isOther(before: Passed, after: Passed, name: string, what: 'image' | 'resources'): boolean {
  const known = before.containers[name];
  return known !== undefined && !isDeepStrictEqual(known[what], after.containers[name]?.[what]);
}

function differing(
  wanted: Pod,
  isDifferent: (container: Container) => boolean,
  what: 'image' | 'resources',
): { readonly patch: ContainersPatch; readonly fields: readonly string[] } | undefined {
  const of = (list: readonly Container[] = []): ContainerPatch[] =>
    list.filter(isDifferent).map((container) => ({ name: container.name, [what]: container[what] }));
  const [containers, initContainers] = [of(wanted.spec?.containers), of(wanted.spec?.initContainers)];
  if (containers.length + initContainers.length === 0) return undefined;
  const patch = {
    ...(containers.length > 0 && { containers }),
    ...(initContainers.length > 0 && { initContainers }),
  };
  return { patch, fields: fieldsOf(patch, wanted) };
}

function metadataPatch(found: Pod, wanted: Pod, before: Passed, after: Passed): MetadataPatch {
  return {
    labels: entries(found.metadata?.labels, wanted.metadata?.labels, before.labels, after.labels),
    annotations: entries(
      found.metadata?.annotations,
      wanted.metadata?.annotations,
      before.annotations,
      after.annotations,
    ),
  };
}

/** What differs, and what the pod had of its own and has no more. */
function entries(
  found: Readonly<Record<string, string>> = {},
  wanted: Readonly<Record<string, string>> = {},
  before: readonly string[],
  after: readonly string[],
): Record<string, string | null> {
  const changed = Object.entries(wanted).filter(([key, value]) => found[key] !== value);
  const removed = before.filter((key) => !after.includes(key) && wanted[key] === undefined);
  return { ...Object.fromEntries(changed), ...Object.fromEntries(removed.map((key) => [key, null])) };
}
