import { type AgentMessage, maxNamesInMessage, type ServiceName } from '@spillway/link-agent';

/** Reads a message of an agent. Undefined: it is none, and the agent is no agent of ours. */
export function readAgentMessage(text: string): AgentMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const follow = 'follow' in value ? namesIn(value.follow) : [];
  const unfollow = 'unfollow' in value ? namesIn(value.unfollow) : [];
  return follow && unfollow && { follow, unfollow };
}

function namesIn(value: unknown): readonly ServiceName[] | undefined {
  if (!Array.isArray(value) || value.length > maxNamesInMessage) return undefined;
  const names: ServiceName[] = [];
  for (const each of value) {
    if (!Array.isArray(each)) return undefined;
    const [namespace, name]: readonly unknown[] = each;
    if (!isName(namespace) || !isName(name)) return undefined;
    names.push([namespace, name]);
  }
  return names;
}

/** Of any length that an object's name can have; whether there is such an object is asked later. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 63;
}
