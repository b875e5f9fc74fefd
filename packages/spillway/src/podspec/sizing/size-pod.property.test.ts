import { fc, test } from '@fast-check/vitest';
import type { Container, PodSpec } from '@spillway/kube';
import { describe, expect } from 'vitest';
import { asSized } from './sized-pod.ts';
import { notOffered } from './offer.ts';
import { ruleSetNames, type RuleSetName, ruleSets } from './rule-sets.ts';
import { sizePod, type Sized } from './size-pod.ts';
import { isNothing, type Size } from './size.ts';

interface Amounts {
  readonly cpu: bigint | undefined;
  readonly memory: bigint | undefined;
}

const gi = 2n ** 30n;
const amounts = (cpu: bigint, memory: bigint): fc.Arbitrary<Amounts> =>
  fc.record({
    cpu: fc.option(
      fc.oneof(
        fc.bigInt(0n, cpu),
        fc.bigInt(0n, cpu / 250n).map((n) => n * 250n),
      ),
      { nil: undefined },
    ),
    memory: fc.option(
      fc.oneof(
        fc.bigInt(0n, memory),
        fc.bigInt(0n, memory / gi).map((n) => n * gi),
      ),
      {
        nil: undefined,
      },
    ),
  });

const container: fc.Arbitrary<Container> = fc
  .record({
    name: fc.string({ unit: 'grapheme', maxLength: 8 }),
    limits: fc.oneof(amounts(2_000n, 6n * gi), amounts(70_000n, 600n * gi)),
    requests: amounts(2_000n, 6n * gi),
    sidecar: fc.boolean(),
  })
  .map(({ name, limits, requests, sidecar }) => ({
    name,
    resources: { limits: list(limits), requests: list(requests) },
    ...(sidecar && { restartPolicy: 'Always' }),
  }));

/** Containers that fit on one virtual node, so that most are sized and some are refused. */
const spec: fc.Arbitrary<PodSpec> = fc.record({
  containers: fc.array(container, { minLength: 1, maxLength: 5 }),
  initContainers: fc.array(container, { maxLength: 3 }),
});

const ruleSet = fc.constantFrom(...ruleSetNames);
const rounded = fc.constantFrom<RuleSetName>('cci', 'cci-compact');

function list({ cpu, memory }: Amounts): Record<string, string> {
  return { ...(cpu !== undefined && { cpu: `${cpu}m` }), ...(memory !== undefined && { memory: String(memory) }) };
}

function sized(pod: PodSpec, rules: RuleSetName): Sized | undefined {
  const sizing = sizePod(pod, rules);
  return sizing.kind === 'sized' ? sizing : undefined;
}

function atLeast(a: Size, b: Size): boolean {
  return a.milliCpu >= b.milliCpu && a.memoryBytes >= b.memoryBytes;
}

function flavour(milliCpu: bigint, bytes: bigint): Size | undefined {
  const limits = list({ cpu: milliCpu, memory: bytes });
  return sized({ containers: [{ name: 'app', resources: { limits } }] }, 'cci2')?.pod;
}

/** The same pod, one of whose containers asks for as much or more. */
const grown: fc.Arbitrary<readonly [PodSpec, PodSpec]> = fc
  .tuple(spec, fc.nat(), fc.bigInt(0n, 20_000n), fc.bigInt(0n, 100n * gi))
  .map(([pod, at, milliCpu, bytes]) => {
    const index = at % pod.containers.length;
    const grow = (each: Container): Container => {
      const { limits, requests } = each.resources ?? {};
      const cpu = BigInt((limits?.['cpu'] ?? requests?.['cpu'] ?? '0m').slice(0, -1)) + milliCpu;
      const memory = BigInt(limits?.['memory'] ?? requests?.['memory'] ?? '0') + bytes;
      return { ...each, resources: { limits: list({ cpu, memory }) } };
    };
    return [pod, { ...pod, containers: pod.containers.map((each, i) => (i === index ? grow(each) : each)) }] as const;
  });

describe('whatever a pod asks for', () => {
  test.prop([spec, ruleSet])('it is given no less', (pod, rules) => {
    const sizing = sized(pod, rules);
    if (!sizing) return;
    expect(atLeast(sizing.pod, sizing.written)).toBe(true);
    const { containers } = sizing;
    const written = sized(pod, 'none')?.containers ?? [];
    expect(containers.map(({ field }) => field)).toEqual(written.map(({ field }) => field));
    expect(containers.every((each, index) => atLeast(each, written[index] ?? each))).toBe(true);
  });

  test.prop([spec, ruleSet])('its size is one that there is, or it is refused with a remedy', (pod, rules) => {
    const sizing = sizePod(pod, rules);
    if (sizing.kind === 'refused') {
      expect(sizing.refusals.length).toBeGreaterThan(0);
      expect(sizing.refusals.every(({ remedy, field }) => remedy !== '' && field.startsWith('spec.'))).toBe(true);
      return;
    }
    const set = ruleSets[rules];
    if (set.kind === 'asWritten') return;
    if (set.kind === 'flavours') {
      const entry = set.table.find(({ milliCpu }) => milliCpu === sizing.pod.milliCpu);
      expect(entry?.memoryBytes).toContain(sizing.pod.memoryBytes);
    } else {
      expect(notOffered(sizing.pod, set)).toEqual([]);
    }
  });

  test.prop([spec, ruleSet])('the sized pod is sized to itself', (pod, rules) => {
    const first = sized(pod, rules);
    if (!first) return;
    const again = sized(asSized({ spec: pod }, first).spec ?? pod, rules);
    expect(again?.pod).toEqual(first.pod);
    expect(again?.containers).toEqual(first.containers);
    if (ruleSets[rules].kind !== 'flavours') expect(again?.added).toEqual([]);
  });

  test.prop([spec, rounded])('what the pod lacks goes to the first container that asks for something', (pod, rules) => {
    const sizing = sized(pod, rules);
    if (!sizing) return;
    const increments = sizing.added.filter(({ because }) => because === 'pod');
    expect(increments.length).toBeLessThanOrEqual(1);
    const written = sized(pod, 'none')?.containers ?? [];
    const first = written.find((size) => !isNothing(size));
    const others = sizing.containers.filter(({ field }) => field !== first?.field);
    const raised = ruleSets[rules];
    for (const each of others) {
      const own = written.find(({ field }) => field === each.field);
      const unchanged = own !== undefined && each.milliCpu === own.milliCpu && each.memoryBytes === own.memoryBytes;
      const toContainerRule = raised.kind === 'rounded' && raised.container !== undefined;
      if (!toContainerRule) expect(unchanged).toBe(true);
      else if (!unchanged) {
        expect(each.milliCpu - (own?.milliCpu ?? 0n)).toBeLessThan(250n);
        expect(each.memoryBytes).toBeLessThanOrEqual(
          own && own.memoryBytes > 214_748_365n ? own.memoryBytes : 214_748_365n,
        );
      }
    }
  });

  test.prop([grown, rounded])('more is never sized to less', ([small, large], rules) => {
    const [a, b] = [sized(small, rules), sized(large, rules)];
    if (a && b) expect(atLeast(b.pod, a.pod)).toBe(true);
    // Where there is nothing beyond the largest, what is too much stays too much.
    if (rules === 'cci' && !a && sized(small, 'none')?.pod.milliCpu !== 0n) expect(b).toBeUndefined();
  });

  test.prop([fc.bigInt(1n, 70_000n), fc.bigInt(1n, 70_000n), fc.bigInt(0n, 600n * gi), fc.bigInt(0n, 600n * gi)])(
    'a table gives more CPU for more CPU, and more of both for more memory',
    (cpu, moreCpu, memory, moreMemory) => {
      const before = flavour(cpu, memory);
      const withCpu = flavour(cpu + moreCpu, memory);
      const withMemory = flavour(cpu, memory + moreMemory);
      if (before && withCpu) expect(withCpu.milliCpu).toBeGreaterThanOrEqual(before.milliCpu);
      if (before && withMemory) expect(atLeast(withMemory, before)).toBe(true);
      if (!before) expect([withCpu, withMemory]).toEqual([undefined, undefined]);
    },
  );
});

describe('amounts that nobody means', () => {
  const unusable = ['1e400', '-1', '-1Gi', '1e99999999999', '', 'much', '1 Gi', '9'.repeat(200), 'NaN', '½', '١'];
  test.each(ruleSetNames.flatMap((rules) => unusable.map((amount) => [rules, amount] as const)))(
    '%s refuses %j and says where',
    (rules, amount) => {
      const pod: PodSpec = {
        containers: [
          { name: 'a', resources: { limits: { cpu: '1', memory: '2Gi' } } },
          { name: 'b', resources: { requests: { memory: amount } } },
        ],
      };
      expect(sizePod(pod, rules)).toMatchObject({
        kind: 'refused',
        refusals: [{ code: 'quantity-unusable', field: 'spec.containers[1].resources.requests.memory' }],
      });
    },
  );

  const huge = [2n ** 63n - 1n, 2n ** 63n, 2n ** 64n, 10n ** 40n].map(String);
  test.each(huge)('%s bytes and as many CPUs are too much for every size, and exact without sizes', (amount) => {
    const pod: PodSpec = { containers: [{ name: 'a', resources: { limits: { cpu: amount, memory: amount } } }] };
    for (const rules of ruleSetNames) {
      if (rules === 'none') continue;
      const sizing = sizePod(pod, rules);
      expect(sizing.kind === 'refused' && sizing.refusals.map(({ code }) => code)).toContain('cpu-too-large');
    }
    expect(sized(pod, 'none')?.pod).toEqual({ milliCpu: BigInt(amount) * 1000n, memoryBytes: BigInt(amount) });
  });

  test.each(ruleSetNames)('%s takes a hundred containers, or says that they are too many', (rules) => {
    const hundred = Array.from({ length: 100 }, (_, index) => ({
      name: `容器-${index}`,
      resources: { limits: { cpu: '250m', memory: '1Gi' } },
    }));
    const sizing = sizePod({ containers: hundred }, rules);
    expect(sizing).toMatchObject(
      rules === 'cci' || rules === 'cci-legacy' || rules === 'cci-compact'
        ? { kind: 'refused', refusals: [{ code: 'too-many-containers' }] }
        : { kind: 'sized', pod: { milliCpu: rules === 'cci2' ? 32_000n : 25_000n } },
    );
  });

  test.prop([fc.anything(), ruleSet])(
    'text that is no amount at all is refused or read, never an exception',
    (value, rules) => {
      const limits: Record<string, string> = Object.create({}, { cpu: { value } });
      const pod = { containers: [{ name: 'a', resources: { limits } }] };
      expect(['sized', 'refused']).toContain(sizePod(pod, rules).kind);
    },
  );
});
