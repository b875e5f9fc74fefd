import type { AddOnReport } from '../cce-addon/report.ts';
import type { Moved } from '../cce-addon/move.ts';
import { type Move, movesAway } from '../cce-addon/moves.ts';
import { counted, sentences } from '../podspec/words.ts';
import { section } from './render-removal.ts';

export function renderAddOn({ adopted, found, workloads, places, unseen, next }: AddOnReport): string {
  const left = workloads.filter((move) => !isMoving(move));
  const parts = [
    found.length === 0
      ? 'Nothing of the CCE add-on virtual-kubelet is in this cluster.\n'
      : section('The CCE add-on virtual-kubelet', 'bold', found),
    section(adopted ? 'Moved' : 'Would move', 'bold', workloads.filter(isMoving).map(moveLine)),
    section('Left', 'dim', left.map(moveLine)),
    section(
      'In CCI, with the marks of the add-on',
      'bold',
      places.map(({ place, namespace, running, ofThisCluster, withoutPod }) => {
        const whose = ofThisCluster === 'yes' ? 'of this cluster' : 'of a cluster that cannot be told';
        const lost = withoutPod.length === 0 ? '' : `; without a pod in the cluster: ${withoutPod.join(', ')}`;
        return `${place}: ${namespace}: ${counted(running, 'instance')}, ${whose}${lost}`;
      }),
    ),
    section('Not looked at', 'red', unseen),
    section(
      'What to do now',
      'bold',
      next.map((step, index) => `${index + 1}. ${step}`),
    ),
    ...(adopted ? [] : ['Nothing was changed.\n']),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** Has moved, or would. */
const isMoving = (move: Move | Moved): boolean => ('result' in move ? move.result === 'moved' : movesAway(move));

function moveLine({ namespace, kind, name, pods, why, remedy }: Move): string {
  const line = `${kind} ${namespace}/${name}, ${counted(pods.length, 'pod')}`;
  return why === undefined ? line : `${line}: ${sentences(why, remedy)}`;
}
