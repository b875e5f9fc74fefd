import { readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * What a test asks of a node: `pod`: pods as workloads have them; `net`: that pods reach each other and Services; `host`: the
 * node's own network, ports or files; `kubelet`: what only a node's own kubelet has, such as a RuntimeClass; `api`: nothing, it makes no pods.
 */
export const testClasses = ['pod', 'net', 'host', 'kubelet', 'api'] as const;
export type TestClass = (typeof testClasses)[number];

/** By the pods that the tests were seen to make; a test without an entry is of a newer Kubernetes than the list. */
export async function readClasses(): Promise<ReadonlyMap<string, TestClass>> {
  const text = await readFile(path.join(import.meta.dirname, 'classes.tsv'), 'utf8');
  return new Map(
    text
      .trimEnd()
      .split('\n')
      .map((line): [string, TestClass] => {
        const [name = '', found] = line.split('\t');
        const known = testClasses.find((each) => each === found);
        if (known === undefined) throw new Error(`classes.tsv: "${line}" ends with no class of tests`);
        return [name, known];
      }),
  );
}
