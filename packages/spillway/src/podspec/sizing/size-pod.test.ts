import { describe, expect, it } from 'vitest';
import { sizeInShort, specOf } from '../testing/sized-specs.ts';
import { sizePod } from './size-pod.ts';

describe('a pod in the sizes of CCI', () => {
  it.each([
    ['500m/1024Mi', '500m/1Gi: app 500m/1Gi'],
    ['250m/512Mi', '250m/1Gi: app 250m/1Gi'],
    ['100m/100Mi', '250m/1Gi: app 250m/1Gi'],
    ['2/1Gi', '2/4Gi: app 2/4Gi'],
    ['0.25/3Gi', '500m/3Gi: app 500m/3Gi'],
    // 300 Mi + 1440.8 Mi, and 1.3 Gi, which is no whole number of bytes.
    ['A 300m/300Mi + B - + C 600m/1.3Gi', '1250m/3Gi: A 500m/1825361100 + B 0/0 + C 750m/1395864372'],
    ['1/20Gi', '2500m/20Gi: app 2500m/20Gi'],
    ['A 20/1Gi + B 12/1Gi', '32/64Gi: A 20/63Gi + B 12/1Gi'],
    ['33/66Gi', 'refused: cpu-too-large'],
    ['1/257Gi', 'refused: memory-too-large'],
    ['40/300Gi', 'refused: cpu-too-large, memory-too-large'],
    ['-', 'refused: no-cpu'],
    ['A -/1Gi + B -/2Gi', 'refused: no-cpu'],
  ])('%s', (written, sized) => {
    expect(sizeInShort(specOf(written), 'cci')).toBe(sized);
  });

  it.each([
    ['of limits and requests the limits count', '1/2Gi, 100m/100Mi', '1/2Gi: app 1/2Gi'],
    ['each amount for itself', '1/-, 500m/3Gi', '1/3Gi: app 1/3Gi'],
    ['requests count where there is no limit', '-/-, 250m/1Gi', '250m/1Gi: app 250m/1Gi'],
    ['a container without CPU gets none of its own', 'A 1/1Gi + B -/1Gi', '1/2Gi: A 1/1Gi + B 0/1Gi'],
    ['but what the pod lacks when it is the first', 'A -/20Gi + B 1/1Gi', '2750m/21Gi: A 1750m/20Gi + B 1/1Gi'],
    ['a container without memory gets the least that there is', '1/-', '1/2Gi: app 1/2Gi'],
    [
      '0.2 Gi is the least, in whole bytes',
      'A 250m/0.2Gi + B 250m/1Mi',
      '500m/1Gi: A 250m/858993459 + B 250m/214748365',
    ],
    ['init containers are raised as well', '1/2Gi + init I 100m/100Mi', '1/2Gi: app 1/2Gi + I 250m/214748365'],
    [
      'an init container counts when it is the largest',
      '250m/512Mi + init I 2/3.5Gi',
      '2/4Gi: app 250m/4Gi + I 2/3584Mi',
    ],
    ['a pod that fits stays as it is', '250m/512Mi + init I 2/4Gi', '2/4Gi: app 250m/512Mi + I 2/4Gi'],
    ['a sidecar counts with the containers', '1/1Gi + sidecar S 500m/1Gi', '1500m/3Gi: app 1/2Gi + S 500m/1Gi'],
    [
      'a sidecar counts with the init containers after it',
      '1/2Gi + sidecar S 1/1Gi + init I 2/5Gi',
      '3/6Gi: app 1/2Gi + S 1/1Gi + I 2/5Gi',
    ],
    [
      'when only an init container asks for something, it gets what lacks',
      '- + init I 2/1Gi',
      '2/4Gi: app 0/0 + I 2/4Gi',
    ],
    [
      'and a sidecar no more than the pod lacks',
      '- + sidecar S 1/1Gi + init I 1/2.5Gi',
      '2/4Gi: app 0/0 + S 1/1536Mi + I 1/2560Mi',
    ],
  ])('%s: %s', (_, written, sized) => {
    expect(sizeInShort(specOf(written), 'cci')).toBe(sized);
  });

  it('is told with what was added, to whom and why', () => {
    expect(sizePod(specOf('A - + B 100m/100Mi + C 250m/1Gi'), 'cci')).toMatchObject({
      written: { milliCpu: 350n, memoryBytes: 1124n * 2n ** 20n },
      added: [
        { because: 'container', container: 'B', milliCpu: 150n, memoryBytes: 214748365n - 100n * 2n ** 20n },
        { because: 'pod', container: 'B', milliCpu: 0n, memoryBytes: 2n ** 30n - 214748365n },
      ],
    });
    expect(sizePod(specOf('500m/1Gi'), 'cci')).toMatchObject({ added: [] });
  });

  it('says what is offered instead', () => {
    expect(sizePod(specOf('33/66Gi'), 'cci')).toEqual({
      kind: 'refused',
      refusals: [
        {
          code: 'cpu-too-large',
          field: 'spec.containers',
          message:
            'the pod needs more CPU than the largest pod of the pool has: it needs 33, and the pool offers 250m to 32 in steps of 250m',
          remedy: 'Request less, split the pod, or run it on a node of the cluster.',
          documentation: 'not-burstable.md#cpu-too-large',
        },
      ],
    });
  });
});

describe('a pod in the sizes of CCI for older add-ons is checked, not changed', () => {
  it.each([
    ['500m/1Gi', '500m/1Gi: app 500m/1Gi'],
    ['A 500m/1.5Gi + B 250m/512Mi', '750m/2Gi: A 500m/1536Mi + B 250m/512Mi'],
    ['48/100Gi', '48/100Gi: app 48/100Gi'],
    ['64/512Gi', '64/512Gi: app 64/512Gi'],
    ['300m/1Gi', 'refused: container-size-not-offered, cpu-not-offered'],
    ['A 750m/1948Mi + B 250m/100Mi', 'refused: container-size-not-offered'],
    ['A 1/2Gi + B -', 'refused: container-size-not-offered'],
    ['250m/1.5Gi', 'refused: memory-not-offered'],
    ['1/1Gi', 'refused: ratio-not-offered'],
    ['1/9Gi', 'refused: ratio-not-offered'],
    ['40/100Gi', 'refused: cpu-not-offered'],
    ['65/512Gi', 'refused: cpu-too-large'],
    ['64/513Gi', 'refused: memory-too-large'],
    ['1/2Gi, 500m/2Gi', 'refused: requests-differ'],
    ['1/2G', 'refused: memory-not-offered'],
  ])('%s', (written, sized) => {
    expect(sizeInShort(specOf(written), 'cci-legacy')).toBe(sized);
  });

  it('and has five containers at most, sidecars included', () => {
    const five = ['A 250m/1Gi', 'B 250m/1Gi', 'C 250m/1Gi', 'D 250m/1Gi', 'sidecar E 250m/1Gi'].join(' + ');
    expect(sizeInShort(specOf(`${five} + init I 250m/1Gi`), 'cci-legacy')).toMatch(/^1250m\/5Gi/);
    expect(sizeInShort(specOf(`${five} + F 250m/1Gi`), 'cci-legacy')).toBe('refused: too-many-containers');
  });

  it.each(['cci', 'cci-legacy', 'cci-compact'] as const)(
    'in %s an agent of the pool counts among the five, and is not billed',
    (rules) => {
      const four = specOf(['A 250m/1Gi', 'B 250m/1Gi', 'C 250m/1Gi', 'D 250m/1Gi'].join(' + '));
      expect(sizePod(four, rules, 1)).toEqual(sizePod(four, rules));
      const five = specOf(['A 250m/1Gi', 'B 250m/1Gi', 'C 250m/1Gi', 'D 250m/1Gi', 'E 250m/1Gi'].join(' + '));
      expect(sizePod(five, rules).kind).toBe('sized');
      expect(sizePod(five, rules, 1)).toMatchObject({
        kind: 'refused',
        refusals: [
          { code: 'too-many-containers', message: expect.stringContaining('it has 5 and the link agent') as unknown },
        ],
      });
    },
  );
});

describe('a pod in the sizes of CCI for newer add-ons is raised as a whole', () => {
  it.each([
    ['100m/100Mi', '250m/1Gi: app 250m/1Gi'],
    ['A 100m/1Gi + B 100m/1Gi', '250m/2Gi: A 150m/1Gi + B 100m/1Gi'],
    ['A 300m/300Mi + B - + C 600m/1.3Gi', '1/2Gi: A 400m/751619276 + B 0/0 + C 600m/1395864372'],
    ['31.9/1Gi', '32/64Gi: app 32/64Gi'],
    ['48/96Gi', '48/96Gi: app 48/96Gi'],
    ['64/512Gi', '64/512Gi: app 64/512Gi'],
    ['48/384Gi', '48/384Gi: app 48/384Gi'],
    ['48/50Gi', 'refused: ratio-not-offered'],
    ['33/66Gi', 'refused: cpu-not-offered'],
    ['48/300Gi', 'refused: memory-not-offered'],
    ['65/200Gi', 'refused: cpu-too-large'],
    ['64/513Gi', 'refused: memory-too-large'],
    ['1/384Gi', 'refused: ratio-not-offered'],
  ])('%s', (written, sized) => {
    expect(sizeInShort(specOf(written), 'cci-compact')).toBe(sized);
  });
});

describe('a pod in the sizes of CCI 2.0 gets the next entry of the table', () => {
  it.each([
    ['6/15Gi', '8/16Gi: app 6/15Gi'],
    ['250m/512Mi', '250m/512Mi: app 250m/512Mi'],
    ['250m/3Gi', '500m/3Gi: app 250m/3Gi'],
    ['A 1/1Gi + B 1/1Gi', '2/2Gi: A 1/1Gi + B 1/1Gi'],
    ['4/9Gi', '4/9Gi: app 4/9Gi'],
    ['8/9Gi', '8/12Gi: app 8/9Gi'],
    ['32/129Gi', '32/256Gi: app 32/129Gi'],
    ['33/1Gi', '48/96Gi: app 33/1Gi'],
    ['1/512Gi', '64/512Gi: app 1/512Gi'],
    // Requests together, but no less than the largest limit.
    ['A 2/4Gi, 1/1Gi + B 2/2Gi, 500m/1Gi', '2/4Gi: A 2/4Gi + B 2/2Gi'],
    ['1/1Gi + init I 4/8Gi', '4/8Gi: app 1/1Gi + I 4/8Gi'],
    ['65/1Gi', 'refused: cpu-too-large'],
    ['1/513Gi', 'refused: memory-too-large'],
    ['-', 'refused: no-cpu'],
  ])('%s', (written, sized) => {
    expect(sizeInShort(specOf(written), 'cci2')).toBe(sized);
  });
});

describe('without sizes', () => {
  it.each([
    ['100m/100Mi', '100m/100Mi: app 100m/100Mi'],
    ['-', '0/0: app 0/0'],
    ['1000/4Ti', '1000/4096Gi: app 1000/4096Gi'],
  ])('a pod runs as it was written: %s', (written, sized) => {
    expect(sizeInShort(specOf(written), 'none')).toBe(sized);
  });

  it('what the pod as a whole sets is its size', () => {
    expect(sizePod({ ...specOf('1/1Gi'), resources: { limits: { cpu: '2' } } }, 'none')).toMatchObject({
      pod: { milliCpu: 2000n, memoryBytes: 2n ** 30n },
    });
  });
});

it('sizes know containers only, not resources of the pod as a whole', () => {
  const spec = { ...specOf('1/2Gi'), resources: { limits: { cpu: '2' } } };
  expect(sizeInShort(spec, 'cci')).toBe('refused: pod-resources-unsupported');
});
