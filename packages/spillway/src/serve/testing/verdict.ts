import type { Pod } from '@spillway/kube';
import { isTerminalPhase } from '../../podspec/pod-facts.ts';
import type { Person } from './population.ts';
import { exitCodesOf, type Witness } from './witness.ts';

export type Evidence = Pick<Witness, 'accepted' | 'started' | 'exitCodes' | 'instances' | 'pods'>;

/** Is something still to happen to this pod or to its instance? */
export function isUnsettled(person: Person, present: boolean, { instances, pods }: Evidence): boolean {
  const { uid, fate, exitCode } = person;
  if (fate !== 'kept') return present || instances.has(uid);
  const pod = pods.get(uid);
  if (exitCode !== undefined) return !isTerminalPhase(pod?.status?.phase);
  return pod?.status?.phase !== 'Running' || pod.status.containerStatuses?.every(({ ready }) => ready) !== true;
}

/** What must not have happened to this pod, now that nothing is left to do. */
export function violations({ uid, name, fate, exitCode }: Person, evidence: Evidence): string[] {
  const accepted = evidence.accepted.get(uid) ?? 0;
  const started = evidence.started.get(uid) ?? 0;
  const pod = evidence.pods.get(uid);
  const found: string[] = [];
  const claim = (holds: boolean, otherwise: string): void => {
    if (!holds) found.push(`${name}: ${otherwise}`);
  };
  claim(accepted <= 1, `${accepted} instances`);
  claim(started <= 1, `started ${started} times`);
  if (fate === 'kept' || fate === 'gone') claim(started >= 1, 'never started');
  claim(evidence.instances.has(uid) === (fate === 'kept'), fate === 'kept' ? 'lost its instance' : 'left an instance');
  if (fate === 'kept' && exitCode === undefined) claim(isRunningSinceItsStart(pod), `does not run: ${told(pod)}`);
  if (fate === 'forced' || (fate === 'kept' && exitCode === undefined)) return found;
  const codes = evidence.exitCodes.get(uid) ?? [];
  const phase = codes.every((code) => code === 0) && codes.length > 0 ? 'Succeeded' : 'Failed';
  claim(pod?.status?.phase === phase, `${phase} was to be written: ${told(pod)}`);
  if (codes.length > 0 && codes.every((code) => code !== undefined)) {
    const written = exitCodesOf({ containerStatuses: pod?.status?.containerStatuses ?? [] });
    claim(String(written) === String(codes), `ended with ${String(codes)}, and that was written: ${told(pod)}`);
  }
  if (exitCode !== undefined && fate !== 'deleted')
    claim(String(codes) === String(exitCode), `ended with ${String(codes)}`);
  return found;
}

function isRunningSinceItsStart(pod: Pod | undefined): boolean {
  const { phase, containerStatuses = [] } = pod?.status ?? {};
  return phase === 'Running' && containerStatuses.every(({ ready, restartCount }) => ready && restartCount === 0);
}

function told(pod: Pod | undefined): string {
  return JSON.stringify(pod?.status ?? 'no pod');
}
