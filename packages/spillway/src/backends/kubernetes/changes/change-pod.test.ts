import { ApiError, type Pod, type ResourceClient } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { makeWorkload } from '../../testing/workloads.ts';
import { kubernetesDialect } from '../dialect.ts';
import { translate } from '../fields/translate.ts';
import { revisionAnnotation } from '../pods/marks.ts';
import { changePod } from './change-pod.ts';
import { readPassed } from './passed.ts';

const { signal } = new AbortController();

/** The pod in the other cluster as Spillway makes it. */
function made(image: string, cpu = '1'): Pod {
  const containers = [{ name: 'main', image, resources: { requests: { cpu } } }];
  const workload = { ...makeWorkload({ name: 'web', image, spec: { containers } }), revision: `${image} ${cpu}` };
  const owner = { clusterId: 'home', nodeName: 'virtual' };
  return translate(workload, { dialect: kubernetesDialect, owner, namespace: 'burst' }).pod;
}

interface Sent {
  readonly body: { readonly metadata: NonNullable<Pod['metadata']>; readonly spec?: NonNullable<Pod['spec']> };
  readonly subresource: string | undefined;
}

/** What changes what is sent to the other cluster. */
async function sentFor(
  found: Pod,
  wanted: Pod,
  refuses: (sent: Sent) => boolean = () => false,
): Promise<{ readonly sent: readonly Sent[]; readonly refused: readonly string[] }> {
  const sent: Sent[] = [];
  const patch = async (_at: unknown, { body }: Pick<Sent, 'body'>, { subresource }: Sent): Promise<Pod> => {
    sent.push({ body, subresource });
    if (refuses({ body, subresource })) throw new ApiError('no', { status: 422, reason: 'Invalid' });
    return found;
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of it is used
  const pods = { patch } as unknown as ResourceClient<Pod>;
  const refused = await changePod(pods, found, wanted, kubernetesDialect, signal);
  return { sent, refused: refused.map(({ field }) => field) };
}

const revisionIn = ({ body }: Sent): string | undefined => body.metadata.annotations?.[revisionAnnotation];
const imageIn = ({ body }: Sent): string | undefined => body.spec?.containers[0]?.image;

describe('a pod in another cluster that its author has edited', () => {
  test('gets its image together with the mark of its revision: a late request of another process changes neither alone', async () => {
    const { sent } = await sentFor(made('nginx:1'), made('nginx:2'));
    expect(sent.map((each) => [imageIn(each), revisionIn(each)])).toEqual([['nginx:2', 'nginx:2 1']]);
  });

  test('is marked with its revision also where the cluster refuses the image, which is said, and asked for again next time', async () => {
    const { sent, refused } = await sentFor(made('nginx:1'), made('nginx:2'), (each) => imageIn(each) !== undefined);
    expect(refused).toEqual(['spec.containers[0].image']);
    expect(sent.slice(1).map((each) => [imageIn(each), revisionIn(each)])).toEqual([[undefined, 'nginx:2 1']]);
    expect(readPassed({ metadata: sent[1]?.body.metadata ?? {} }).containers['main']?.image).toBe('nginx:1');
  });

  test('is resized first, for who finds it half done begins again', async () => {
    const { sent } = await sentFor(made('nginx:1'), made('nginx:2', '2'));
    expect(sent.map((each) => [each.subresource, revisionIn(each)])).toEqual([
      ['resize', undefined],
      [undefined, 'nginx:2 2'],
    ]);
  });
});
