import { connectedSupport, type Support } from '../podspec/fit/support.ts';
import { cciSupport } from './cci/fields.ts';
import { kubernetesSupport } from './kubernetes/fields/pod-fields.ts';
import { simulatedSupport } from './simulated/simulated-support.ts';

/** What becomes of pods in each kind of backend, by the name that its virtual nodes show. */
export const supports: ReadonlyMap<string, Support> = new Map(
  [...Object.values(cciSupport), kubernetesSupport, simulatedSupport]
    .flatMap((each) => [each, connectedSupport(each, 'agent'), connectedSupport(each, 'route')])
    .map((each) => [each.name, each]),
);
