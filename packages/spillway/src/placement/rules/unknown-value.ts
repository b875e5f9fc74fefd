import type { ObjectMeta } from '@spillway/kube';
import { burstLabelOf, burstLabels, burstValues } from '../../podspec/contract.ts';
import { at } from './admitted.ts';
import type { Subject } from './conditions.ts';
import { templatePaths } from './rules.ts';

/** Where an object can have the burst label: its own metadata, and that of its pod template. */
export const labelPlaces: readonly (readonly string[])[] = [
  ['metadata'],
  ...[...new Set([...templatePaths.values()].map((path) => path.join('.')))].map((path) => [
    ...path.split('.'),
    'metadata',
  ]),
];

/** The sentence around an unknown value. */
export const aroundUnknownValue = (place: readonly string[]): readonly [before: string, after: string] => [
  `${place.join('.')}.labels: "`,
  `" is not a valid value of the burst label (${burstLabels[0]}); it must be one of ${burstValues.join(', ')}`,
];

/**
 * Why a request is refused: unknown values of the burst label. What was there before may stay, because to refuse every
 * change of such an object would keep it for ever.
 */
export function unknownValues({ operation, object, oldObject }: Subject): readonly string[] {
  return labelPlaces.flatMap((place) => {
    const label = labelAt(object, place);
    if (label.kind !== 'invalid') return [];
    const before = labelAt(oldObject, place);
    if (operation === 'UPDATE' && before.kind === 'invalid' && before.text === label.text) return [];
    return [aroundUnknownValue(place).join(label.text)];
  });
}

const labelAt = (object: unknown, place: readonly string[]): ReturnType<typeof burstLabelOf> =>
  burstLabelOf(at<ObjectMeta>(object, place)?.labels);
