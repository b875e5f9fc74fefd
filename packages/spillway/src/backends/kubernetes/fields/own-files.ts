import type { Pod } from '@spillway/kube';
import type { InstanceRef, Owner, Workload } from '../../backend.ts';
import type { VolumeFile } from '../../../podspec/volumes.ts';
import type { Copies } from '../copies/copies.ts';
import { copyMarks } from '../pods/marks.ts';
import { hashOf, ownName } from '../pods/names.ts';

export interface FileItem {
  readonly key: string;
  readonly path: string;
  readonly mode: number;
}

/** For files that would belong to the pod's user: a kubelet gives the files of a Secret to root, and to the pod's group. */
const readableByAll = 0o644;

/** Files of one pod alone: its tokens in a Secret, what is said about its metadata in a ConfigMap of the same name. */
export class OwnFiles {
  readonly name: string;
  readonly #ref: InstanceRef;
  readonly #volumes: Workload['volumes'];
  readonly #fsGroup: number | undefined;
  readonly #tokens: Record<string, string> = {};
  readonly #facts: Record<string, string> = {};

  constructor({ ref, pod, volumes }: Pick<Workload, 'ref' | 'pod' | 'volumes'>) {
    this.#ref = ref;
    this.name = ownName(ref);
    this.#volumes = volumes;
    this.#fsGroup = pod.spec?.securityContext?.fsGroup;
  }

  token(volume: string, path: string): FileItem[] {
    return this.#files(volume, [path], (key, { content }) => {
      this.#tokens[key] = Buffer.from(content).toString('base64');
    });
  }

  facts(volume: string, paths: readonly string[]): FileItem[] {
    return this.#files(volume, paths, (key, { content }) => {
      this.#facts[key] = Buffer.from(content).toString('utf8');
    });
  }

  objects(owner: Owner, namespace: string): Omit<Copies, 'claims'> {
    const { labels, annotations } = copyMarks(owner, {
      namespace: this.#ref.namespace,
      name: this.#ref.name,
      version: '',
    });
    const metadata = { namespace, name: this.name, labels: { ...labels }, annotations: { ...annotations } };
    return {
      configMaps: Object.keys(this.#facts).length > 0 ? [{ metadata, data: this.#facts }] : [],
      secrets: Object.keys(this.#tokens).length > 0 ? [{ metadata, type: 'Opaque', data: this.#tokens }] : [],
    };
  }

  #isReadable({ uid = 0 }: VolumeFile): boolean {
    return uid === 0 || this.#fsGroup !== undefined;
  }

  #files(volume: string, paths: readonly string[], add: (key: string, file: VolumeFile) => void): FileItem[] {
    const resolved = this.#volumes.get(volume);
    const files = resolved?.kind === 'files' ? resolved.files : [];
    return paths.flatMap((path) => {
      const file = files.find((each) => each.path === path);
      if (!file) return [];
      const key = `${volume}.${hashOf(10, path)}`;
      add(key, file);
      return [{ key, path, mode: this.#isReadable(file) ? file.mode : readableByAll }];
    });
  }
}

export type FilesByVolume = ReadonlyMap<string, readonly VolumeFile[]>;

/** What the keys of the pod's own Secret hold now. `pod` is the one in the other cluster. */
export function changedTokens({ spec }: Pod, own: string, changed: FilesByVolume): Record<string, string> {
  const tokens: Record<string, string> = {};
  for (const { name, projected } of spec?.volumes ?? []) {
    for (const { secret } of projected?.sources ?? []) {
      if (secret?.name !== own) continue;
      for (const { key, path } of secret.items ?? []) {
        const file = changed.get(name)?.find((each) => each.path === path);
        if (file) tokens[key] = Buffer.from(file.content).toString('base64');
      }
    }
  }
  return tokens;
}

/** The same files have the same digest, in whatever order. */
export function digestOf(volumes: FilesByVolume): string {
  const lines = Array.from(volumes, ([volume, files]) =>
    files.map(
      ({ path, mode, content }) => `${volume}/${path} ${mode} ${hashOf(40, Buffer.from(content).toString('base64'))}`,
    ),
  );
  return hashOf(40, ...lines.flat().toSorted());
}
