import * as fc from 'fast-check';
import { describe } from 'vitest';
import { revisionOf } from '../../podspec/travelling.ts';
import { isDeleting, isTerminalPhase } from '../../podspec/pod-facts.ts';
import { holds } from '../testing/histories.ts';
import { type Answer, World } from '../testing/world.ts';

type Command = readonly [name: string, run: (world: World) => void];

const command = (name: string, run: (world: World) => void): fc.Arbitrary<Command> => fc.constant([name, run]);
const answers: readonly Answer[] = ['ok', 'ok', 'ok', 'lost', 'unavailable', 'soldOut'];

const many = <T>(values: readonly T[], make: (value: T) => Command): fc.Arbitrary<Command> =>
  fc.constantFrom(...values).map(make);

const commands: fc.Arbitrary<Command> = fc.oneof(
  // Most of the time things go on as they should, or nothing interesting would ever be reached.
  { weight: 50, arbitrary: command('turn', (world) => world.turn()) },
  { weight: 20, arbitrary: command('list', (world) => world.list()) },
  { weight: 20, arbitrary: command('instance starts', (world) => world.start()) },
  { weight: 4, arbitrary: many([true, false], (full) => [`full: ${full}`, (world) => void (world.full = full)]) },
  { weight: 15, arbitrary: command('step', (world) => world.step(true)) },
  { weight: 5, arbitrary: command('step without API server', (world) => world.step(false)) },
  { weight: 20, arbitrary: many(answers, (answer) => [`answer ${answer}`, (world) => world.answer(answer)]) },
  { weight: 10, arbitrary: command('deliver pod', (world) => world.deliverPod()) },
  { weight: 10, arbitrary: command('deliver instance', (world) => world.deliverInstance()) },
  { weight: 5, arbitrary: command('begin listing', (world) => world.beginListing()) },
  { weight: 5, arbitrary: command('end listing', (world) => world.endListing(true)) },
  { weight: 5, arbitrary: command('incomplete listing', (world) => world.endListing(false)) },
  { weight: 10, arbitrary: many([0, 1, 143], (code) => [`instance ends ${code}`, (world) => world.end(code)]) },
  {
    weight: 15,
    arbitrary: many([10, 1000, 3000, 20_000, 400_000], (ms) => [`advance ${ms} ms`, (world) => world.advance(ms)]),
  },
  {
    weight: 8,
    arbitrary: many(['a', 'b', 'c'], (image) => [`edit the image to ${image}`, (world) => world.edit(image)]),
  },
  { weight: 8, arbitrary: many(['1', '2'], (value) => [`relabel ${value}`, (world) => world.relabel(value)]) },
  { weight: 5, arbitrary: many([30, 5, 1], (grace) => [`delete ${grace} s`, (world) => world.deletePod(grace)]) },
  { weight: 2, arbitrary: command('force delete', (world) => world.forceDelete()) },
  { weight: 2, arbitrary: command('ended by others', (world) => world.failByOthers()) },
  { weight: 2, arbitrary: command('false tombstone', (world) => world.falseTombstone()) },
  { weight: 2, arbitrary: command('false absence', (world) => world.falseAbsence()) },
  { weight: 2, arbitrary: command('watch gap', (world) => world.watchGap()) },
  { weight: 3, arbitrary: command('crash', (world) => world.crash()) },
  { weight: 5, arbitrary: command('restart', (world) => world.restart()) },
);

const vanish = command('instance vanishes', (world) => world.vanish());

interface Setting {
  readonly restartPolicy: string;
  readonly stubborn: boolean;
  readonly finalizer: boolean;
}

function play({ restartPolicy, stubborn, finalizer }: Setting, history: readonly Command[]): World {
  const world = new World(restartPolicy);
  world.stubborn = stubborn;
  world.finalizer = finalizer;
  for (const [, run] of history) run(world);
  return world;
}

const settings: fc.Arbitrary<Setting> = fc.record({
  restartPolicy: fc.constantFrom('Always', 'OnFailure', 'Never'),
  stubborn: fc.boolean(),
  finalizer: fc.boolean(),
});
const histories = fc.array(commands, { maxLength: 80, size: 'max' });

describe('whatever happens to one pod in whatever order', () => {
  // World throws at the moment when something forbidden is done: a second start, a removal before the end is recorded, …
  holds(
    'nothing is left behind, nothing is stuck, and no end is lost',
    { usual: 4500, soak: 9000 },
    fc.property(settings, histories, (setting, history) => {
      const world = play(setting, history);
      world.settleDown();
      const { pod, instance } = world;
      if (pod === undefined) {
        if (instance) throw new Error('an instance is left without its pod');
        if (world.state) throw new Error('an actor is left without its pod');
        if (!world.forced && world.starts > 0 && !isTerminalPhase(world.lastStatus?.phase)) {
          throw new Error(`the pod left the cluster as ${String(world.lastStatus?.phase)}`);
        }
      } else {
        if (isDeleting(pod)) throw new Error('the pod stays Terminating');
        if (pod.status?.phase === 'Pending') throw new Error('the pod stays Pending');
        if (pod.status?.phase === 'Running' && instance?.state !== 'running')
          throw new Error('Running, but nothing runs');
        if (pod.status?.phase === 'Running' && !isDeleting(pod)) {
          if (instance?.revision !== revisionOf(pod)) throw new Error('the instance is not what the pod is now');
          if (pod.status.observedGeneration !== pod.metadata?.generation) throw new Error('the pod is not observed');
        }
        if (isTerminalPhase(pod.status?.phase) && instance) {
          throw new Error(`the pod has ended, but its instance is ${instance.state}`);
        }
      }
      const code = world.lastStatus?.containerStatuses?.[0]?.state?.terminated?.exitCode;
      if (world.exitCode !== undefined && !world.forced && !world.endedByOthers && code !== world.exitCode) {
        throw new Error(`ended with ${world.exitCode}, recorded as ${String(code)}`);
      }
    }),
  );

  holds(
    'an instance that vanishes fails its pod if it ran, and never makes it run twice',
    { usual: 4500, soak: 9000 },
    fc.property(settings, histories, histories, vanish, (setting, before, after, lose) => {
      const world = play(setting, [...before, lose, ...after]);
      world.settleDown();
      const { pod, instance } = world;
      if (pod === undefined) {
        if (instance) throw new Error('an instance is left without its pod');
      } else if (pod.status?.phase === 'Pending' || isDeleting(pod)) {
        throw new Error(`the pod stays ${pod.status?.phase}`);
      } else if (pod.status?.phase === 'Running' && instance?.state !== 'running') {
        throw new Error('Running, but nothing runs');
      }
    }),
  );
});
