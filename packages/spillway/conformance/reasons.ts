import type { TargetName } from './options.ts';
import type { Language } from './words.ts';

interface Reason {
  readonly targets: readonly TargetName[];
  /** Tests that do not pass for it. */
  readonly tests: RegExp;
  readonly why: Readonly<Record<Language, string>>;
}

const virtual = ['kubernetes', 'cci'] as const;

/** Known causes, in place of what a test says when it gives up. */
const reasons: readonly Reason[] = [
  {
    targets: ['control'],
    tests: /at least two untainted nodes/,
    why: {
      en: 'the cluster has one schedulable node',
      zh: '集群只有一个可调度的节点',
    },
  },
  {
    targets: ['control'],
    tests: /ImageVolume/,
    why: {
      en: 'containerd before 2.0 has no image volumes',
      zh: '2.0 之前的 containerd 没有镜像卷',
    },
  },
  {
    targets: virtual,
    tests:
      /should mount an API token|OIDC discovery of service account issuer|PreStop should call prestop|CustomResourceConversionWebhook|Sample API Server|InClusterConfig/,
    why: {
      en: "the pod has no way to its own cluster's API server",
      zh: 'Pod 无法访问自己集群的 API Server',
    },
  },
  {
    targets: ['cci'],
    tests: /\[sig-network\] (Services|EndpointSlice) |Guestbook application/,
    why: {
      en: 'pods in CCI do not reach the addresses of Services of the cluster ([what is not there yet](cci.md))',
      zh: 'CCI 中的 Pod 无法访问集群 Service 的地址（[尚未支持的内容](cci.md)）',
    },
  },
  {
    targets: ['agent'],
    tests: /\[sig-network\] (Services|EndpointSlice) /,
    why: {
      en: 'the test calls the cluster IP itself ([limits](interconnect.md#limits))',
      zh: '测试直接访问集群 IP（[限制](interconnect.md#限制)）',
    },
  },
  {
    targets: ['agent'],
    tests: /DNS for ExternalName services/,
    why: {
      en: 'external names are answered; in the end the test makes a Service of one and expects its cluster IP as the answer',
      zh: '外部名称得到正确回答；最后测试把它变为普通 Service，并期望以集群 IP 回答',
    },
  },
  {
    targets: ['cci'],
    tests: /downward ?API.* (cpu|memory|limits)/i,
    why: {
      en: 'in CCI requests and limits are the size that is billed ([sizing](sizing.md#cci); CCE user guide cce_10_0295)',
      zh: '在 CCI 中，requests 和 limits 是计费的规格（[规格](sizing.md#cci)；CCE 用户指南 cce_10_0295）',
    },
  },
  {
    targets: ['cci'],
    tests: /kubectl describe prints relevant information/,
    why: {
      en: 'the test expects a pod without requests, which CCI does not sell; here a policy adds some',
      zh: '该测试需要没有 requests 的 Pod，而 CCI 不出售这样的 Pod；这里由一条策略添加 requests',
    },
  },
  {
    targets: ['cci', 'agent'],
    tests: /\/etc\/hosts entries for the cluster/,
    why: {
      en: 'CCI writes /etc/hosts with the host name alone, and Spillway has no way to add the fully qualified name',
      zh: 'CCI 只把主机名写入 /etc/hosts，Spillway 无法加入完全限定名',
    },
  },
];

/** Undefined: nobody has looked into it. */
export function reasonOf(target: TargetName, test: string, language: Language): string | undefined {
  return reasons.find(({ targets, tests }) => targets.includes(target) && tests.test(test))?.why[language];
}
