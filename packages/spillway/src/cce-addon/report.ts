import { nameOf, type Node } from '@spillway/kube';
import { blockedTaint } from '../podspec/contract.ts';
import { counted } from '../podspec/words.ts';
import { scheduleProfiles } from '../placement/rules/schedule-profile.ts';
import { type AddOn, isInstalled, partsOf, runningOf } from './add-on.ts';
import type { Moved } from './move.ts';
import { type Move, movesAway } from './moves.ts';
import type { AddOnPlace } from './places.ts';

/** The answer of `spillway migrate-addon`. */
export interface AddOnReport {
  /** False: nothing was changed. */
  readonly adopted: boolean;
  /** What there is of the add-on in the cluster. */
  readonly found: readonly string[];
  readonly workloads: readonly (Move | Moved)[];
  readonly places: readonly AddOnPlace[];
  /** Where not everything could be looked at, and why. */
  readonly unseen: readonly string[];
  /** What to do now, in this order. */
  readonly next: readonly string[];
}

export interface Findings extends Omit<AddOnReport, 'found' | 'next'> {
  readonly addOn: AddOn;
}

export function reportOf({ addOn, ...rest }: Findings): AddOnReport {
  return { ...rest, found: partsOf(addOn), next: nextSteps({ addOn, ...rest }) };
}

/** Of what was to move, something has not. */
export const isUnfinished = ({ adopted, workloads, places }: AddOnReport): boolean =>
  adopted &&
  (workloads.some((each) => 'result' in each && each.result !== 'moved') ||
    places.some(({ withoutPod }) => withoutPod.length > 0));

/** Virtual nodes of Spillway that take pods now. */
export const openNodes = (nodes: readonly Node[]): readonly Node[] =>
  nodes.filter(
    ({ spec, status }) =>
      spec?.unschedulable !== true &&
      spec?.taints?.some(({ key }) => key === blockedTaint.key) !== true &&
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true,
  );

function nextSteps({ addOn, adopted, workloads, places }: Findings): readonly string[] {
  if (!isInstalled(addOn)) return placeSteps(places);
  const { definitions, profiles, extensions, pods } = addOn;
  const moving = workloads.filter(movesAway);
  const count = moving.reduce((sum, move) => sum + move.pods.length, 0);
  const group = scheduleProfiles.apiVersion.split('/')[0];
  const isTheirs = definitions.some(({ spec }) => spec.group === group);
  return [
    ...(extensions.length === 0
      ? []
      : ['Write what the ExtensionProfiles do into the pod templates, or into imageReplacements of the pools']),
    ...(!adopted && count > 0
      ? [
          `"spillway migrate-addon --adopt" moves ${counted(count, 'pod')} of ${counted(moving.length, 'workload')}; without it, all of them stay with the add-on`,
        ]
      : []),
    ...(adopted && isUnfinished({ adopted, workloads, places, found: [], unseen: [], next: [] })
      ? ['Look at what was left, and run the same command again. "kubectl uncordon NODE" gives the add-on’s node back']
      : []),
    ...(isTheirs && profiles.length > 0
      ? [
          'Save the ScheduleProfiles, in case they go with the add-on: kubectl get scheduleprofiles.scheduling.cci.io -A -o yaml > scheduleprofiles.yaml',
        ]
      : []),
    ...(runningOf({ pods }).length === 0 && pods.length === 0
      ? [
          'Uninstall the add-on in the console of CCE, while a node is schedulable for its clean-up',
          'Run "spillway upgrade", and "kubectl apply -f scheduleprofiles.yaml" if the ScheduleProfiles are gone',
        ]
      : []),
    ...placeSteps(places),
  ];
}

const placeSteps = (places: readonly AddOnPlace[]): readonly string[] =>
  places.length === 0
    ? []
    : [
        'When the add-on is uninstalled, "spillway leaks --config FILE" shows what it has left in CCI, and --remove ends that',
      ];

/** For people: names of nodes that Spillway would have to open. */
export const closedText = (nodes: readonly Node[]): string =>
  nodes.length === 0
    ? 'there is no virtual node of Spillway'
    : `no virtual node of Spillway takes pods: ${nodes.map(nameOf).join(', ')}`;
