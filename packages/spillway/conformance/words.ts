import type { KeptRun } from './results.ts';

/** The pages with the figures, each in its language. */
export const pages = { en: 'docs/conformance.md', zh: 'docs/zh/conformance.md' } as const;

export type Language = keyof typeof pages;

export interface Words {
  readonly head: (run: KeptRun, passed: number) => string;
  readonly byClass: string;
  readonly bySig: string;
  /** What is counted in either. */
  readonly counted: string;
  readonly all: string;
  readonly missed: string;
  readonly nothingMissed: string;
  readonly refused: string;
  readonly missedByControl: string;
  readonly colon: string;
}

export const words: Readonly<Record<Language, Words>> = {
  en: {
    head: ({ target, kubernetes, date, minutes, results }, passed) =>
      `${target}: ${passed} of ${results.length} tests of Kubernetes ${kubernetes} passed, ${date === '' ? 'before runs were kept' : `${date}, ${minutes} minutes`}`,
    byClass: 'what a test asks of a node',
    bySig: 'group of tests',
    counted: 'control passed | passed | refused',
    all: 'all',
    missed: 'not passed | why',
    nothingMissed: 'Everything that the control passes.',
    refused: 'refused',
    missedByControl: 'What the control does not pass',
    colon: ': ',
  },
  zh: {
    head: ({ target, kubernetes, date, minutes, results }, passed) =>
      `${target}：Kubernetes ${kubernetes} 的 ${results.length} 个测试中通过 ${passed} 个，${date === '' ? '早于保留运行结果' : `${date}，${minutes} 分钟`}`,
    byClass: '测试对节点的要求',
    bySig: '测试组',
    counted: '对照通过 | 通过 | 拒绝',
    all: '全部',
    missed: '未通过 | 原因',
    nothingMissed: '对照通过的全部测试。',
    refused: '拒绝',
    missedByControl: '对照没有通过的测试',
    colon: '：',
  },
};
