import type { ClaimBinding } from '../../kubernetes/dialect.ts';
import type { CciDialect } from '../dialects.ts';
import { copyName, copyOf } from './copies.ts';
import { fileSystemOf } from './file-system.ts';
import { claimStores } from './stores.ts';

/** Claims of the cluster are bound in CCI to the file systems that they are bound to. */
export function claimBinding(apiVersion: CciDialect['apiVersion']): ClaimBinding {
  return {
    mountOf: ({ volume }, owner) => {
      const fileSystem = fileSystemOf(volume);
      if (fileSystem === undefined) return undefined;
      const { folder } = fileSystem;
      return { claimName: copyName(owner, fileSystem), folder, copy: copyOf[apiVersion](owner, fileSystem) };
    },
    store: claimStores[apiVersion],
  };
}
