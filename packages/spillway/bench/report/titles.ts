import type { ContestantName } from '../contestants/contestant.ts';
import type { Shown } from './results.ts';

export const titles: Readonly<Record<ContestantName, string>> = {
  spillway: 'Spillway',
  bare: 'bare',
  kwok: 'KWOK',
  'virtual-kubelet': 'Virtual Kubelet',
};

export const titleOf = ({ name, unit = 'pods' }: Pick<Shown, 'name' | 'unit'>, pods: number): string =>
  `${pods.toLocaleString('en')} ${unit}, ${name}`;
