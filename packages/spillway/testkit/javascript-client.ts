import path from 'node:path';
import { rolldown } from 'rolldown';

/** One file with a program for a pod, and all of Kubernetes' JavaScript client that it uses. It lists the pods of the namespace that it is given. */
export async function javascriptClient(): Promise<string> {
  await using build = await rolldown({
    input: path.join(import.meta.dirname, 'in-pod/list-pods.ts'),
    platform: 'node',
  });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false, minify: true });
  return output[0].code;
}
