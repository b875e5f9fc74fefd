import { BlockList, isIPv4 } from 'node:net';
import {
  type Asked,
  type Cell,
  type Check,
  checks,
  type NetworkFinding,
  type NetworkReport,
  type NetworkView,
  otherSide,
  type Side,
  sides,
  type SideView,
} from './view.ts';

/** What was seen, as a matrix: what works, and of what does not, why and what helps. */
export function judge(view: NetworkView): NetworkReport {
  const { sides: pods } = view;
  const about = aboutRun(view);
  const cells =
    pods === undefined
      ? checks.flatMap((check) => sides.map((from): Cell => ({ check, from, state: 'skipped', text: '-' })))
      : checks.flatMap((check) => sides.map((from) => cellOf(view, pods, check, from)));
  return { node: view.nodeName, interconnect: view.interconnect ?? 'unknown', cells, findings: about };
}

export const isAllWell = ({ cells, findings }: NetworkReport): boolean =>
  findings.length === 0 && cells.every(({ state }) => state === 'ok');

function aboutRun({ notStarted, notRemoved, sides: pods }: NetworkView): NetworkFinding[] {
  const findings: NetworkFinding[] = [];
  for (const side of sides) {
    const why = notStarted[side];
    if (why !== undefined) {
      findings.push({
        code: 'network-pod-not-started',
        message: `the test pod ${side === 'burst' ? 'on the virtual node' : 'on a node of the cluster'} did not start: ${why}`,
        remedy:
          'Correct this and run the command again. The image must contain Node.js and be pulled from both sides; use another one with --image.',
      });
    }
    const view = pods?.[side];
    if (view?.notAsked !== undefined) {
      findings.push({
        code: 'network-pod-not-asked',
        message: `${view.pod} runs, but no command can be run in it: ${view.notAsked}`,
        remedy: `kubectl exec takes the same way: it needs the right to create pods/exec, and the kubelet of ${view.node} with a certificate that the API server trusts. "spillway doctor" says more about virtual nodes.`,
      });
    }
  }
  if (notRemoved !== undefined) {
    findings.push({
      code: 'network-not-removed',
      message: `the test pods could not be removed: ${notRemoved}`,
      remedy: 'They end by themselves after 15 minutes.',
    });
  }
  return findings;
}

function cellOf(view: NetworkView, pods: Readonly<Record<Side, SideView>>, check: Check, from: Side): Cell {
  const asked = pods[from].asked[check];
  if (asked === undefined) return { check, from, state: 'skipped', text: '-' };
  const { answer } = asked;
  if (answer.ok) return { check, from, state: 'ok', text: okText(check, asked) };
  return { check, from, state: 'failed', text: answer.code || 'failed', ...whyFailed(view, pods, check, from) };
}

const okText = (check: Check, { answer: { text, ms } }: Asked): string => {
  if (check === 'name' || check === 'transfer') return text;
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
};

/** A check fails for the reason of the first of these that has failed, too. */
const restsOn: Readonly<Record<Check, readonly Check[]>> = {
  podTcp: [],
  podUdp: ['podTcp'],
  name: [],
  serviceTcp: ['podTcp', 'name'],
  serviceUdp: ['podTcp', 'podUdp', 'name', 'serviceTcp'],
  transfer: [],
  endpoints: [],
  apiServer: [],
};

function whyFailed(
  view: NetworkView,
  pods: Readonly<Record<Side, SideView>>,
  check: Check,
  from: Side,
): NetworkFinding {
  const failed = (each: Check): boolean => pods[from].asked[each]?.answer.ok === false;
  const root = restsOn[check].find(failed) ?? check;
  return reasons[root](view, pods, from);
}

type Reason = (view: NetworkView, pods: Readonly<Record<Side, SideView>>, from: Side) => NetworkFinding;

const textOf = (pod: SideView, check: Check): string => {
  const answer = pod.asked[check]?.answer;
  return answer === undefined ? 'it was not tried' : answer.text;
};

const reasons: Readonly<Record<Check, Reason>> = {
  podTcp({ clusterNode }, pods, from) {
    const [here, there] = [pods[from], pods[otherSide(from)]];
    const missing =
      from === 'burst'
        ? `In the network of the burst pods, ${clusterNode.podNetworks.join(', ') || there.address} must be routed to node ${there.node} (${clusterNode.address}).`
        : `In the network of the cluster's nodes, ${there.address} must be routed to the network of the burst pods.`;
    return {
      code: 'network-pods-unreachable',
      message: `${here.pod} (${here.address}) does not reach ${there.pod} at ${there.address}: ${textOf(here, 'podTcp')}`,
      remedy: `${missing} Security groups and firewalls on the way must let it through.`,
    };
  },
  podUdp(_view, pods, from) {
    const [here, there] = [pods[from], pods[otherSide(from)]];
    return {
      code: 'network-udp-blocked',
      message: `${here.pod} reaches ${there.address} with TCP, but not with UDP: ${textOf(here, 'podUdp')}`,
      remedy: 'Security groups and firewalls on the way must let UDP through.',
    };
  },
  name(view, pods, from) {
    const here = pods[from];
    const host = hostIn(here.asked.name);
    const servers = here.nameServers.join(', ') || 'none';
    return {
      code: 'network-names-unknown',
      message: `${here.pod} does not find the address of ${host}: ${textOf(here, 'name')}. Its name servers: ${servers}${agentSays(view, from)}`,
      remedy:
        from === 'cluster'
          ? 'Check the DNS of the cluster, usually CoreDNS in kube-system.'
          : remedyOfNames(view, here.nameServers),
    };
  },
  serviceTcp(view, pods, from) {
    const here = pods[from];
    const ip = view.clusterIps[otherSide(from)];
    return {
      code: 'network-services-unreachable',
      message: `${here.pod} reaches the pod behind ${hostIn(here.asked.serviceTcp)}, but not the Service (cluster IP ${ip}): ${textOf(here, 'serviceTcp')}${agentSays(view, from)}`,
      remedy: from === 'cluster' ? clusterProxy : remedyOfServices(view, ip, here.asked.serviceTcp),
    };
  },
  serviceUdp(view, pods, from) {
    const here = pods[from];
    return {
      code: 'network-udp-blocked',
      message: `${here.pod} reaches the Service ${hostIn(here.asked.serviceUdp)} with TCP, but not with UDP: ${textOf(here, 'serviceUdp')}${agentSays(view, from)}`,
      remedy:
        from === 'burst' && view.interconnect === 'route'
          ? 'Security groups and firewalls in front of the node to which the Service network is routed must let UDP through.'
          : clusterProxy,
    };
  },
  transfer(_view, pods, from) {
    const here = pods[from];
    return {
      code: 'network-transfer-broken',
      message: `${here.pod} reaches the Service ${hostIn(here.asked.transfer)}, but a large transfer breaks: ${textOf(here, 'transfer')}`,
      remedy:
        'Usually packets are too large for a part of the way, and what says so (ICMP "fragmentation needed") is blocked: lower the MTU of the pods, or let ICMP through.',
    };
  },
  endpoints(view, pods, from) {
    const here = pods[from];
    return {
      code: 'network-endpoints-not-followed',
      message: `${here.pod} reaches the Service ${hostIn(here.asked.endpoints)}, but does not follow when its endpoints change: ${textOf(here, 'endpoints')}${agentSays(view, from)}`,
      remedy:
        from === 'burst' && view.interconnect === 'agent'
          ? 'The agent does not learn of changes: check that the burst pods reach link.servers of the configuration.'
          : clusterProxy,
    };
  },
  apiServer(view, pods, from) {
    const here = pods[from];
    return {
      code: 'network-api-server-unreachable',
      message: `${here.pod} cannot ask the API server at ${here.apiServer}: ${textOf(here, 'apiServer')}${agentSays(view, from)}`,
      remedy: from === 'cluster' ? clusterProxy : remedyOfApiServer(view, here),
    };
  },
};

const clusterProxy = 'Check kube-proxy on the nodes of the cluster, and the EndpointSlices of the Service.';
const switchOn =
  'The pool has interconnect: off, so its pods do not reach Services of the cluster. Set interconnect: agent or route in the configuration; pods that are created after that reach them.';

const hostIn = (asked: Asked | undefined): string =>
  asked !== undefined && 'host' in asked.question ? asked.question.host : 'the Service';

const agentSays = ({ agentSays: said }: NetworkView, from: Side): string =>
  from === 'burst' && said !== undefined ? `. Its link agent says: ${said}` : '';

function remedyOfNames(view: NetworkView, nameServers: readonly string[]): string {
  switch (view.interconnect) {
    case 'agent':
      return 'The agent knows names from the link server: check that burst pods reach link.servers of the configuration (port 10270 unless link.port says otherwise), and that "spillway serve" runs there.';
    case 'route': {
      const inService = nameServers.find((each) => view.serviceNetworks.some((network) => contains(network, each)));
      return inService === undefined
        ? `The burst pods must reach the name servers ${nameServers.join(', ')} (dns.clusterDNS of the pool), port 53, UDP and TCP.`
        : missingRoute(view, inService);
    }
    default:
      return `${switchOn} Without it, dns.clusterDNS must name servers that the burst pods reach and that know the names of the cluster.`;
  }
}

function remedyOfServices(view: NetworkView, ip: string, asked: Asked | undefined): string {
  switch (view.interconnect) {
    case 'agent':
      return 'The agent accepts connections and forwards them to endpoints: its log says what it met (docs/interconnect.md).';
    case 'route':
      return missingRoute(view, ip, asked?.answer);
    default:
      return switchOn;
  }
}

/** What has to be routed where, and what else may be in the way. */
function missingRoute({ serviceNetworks, clusterNode }: NetworkView, ip: string, answer?: Asked['answer']): string {
  const network = serviceNetworks.find((each) => contains(each, ip));
  const what = network ?? `the Service network of the cluster, which contains ${ip},`;
  const route = `In the network of the burst pods, ${what} must be routed to a node of the cluster, such as ${clusterNode.address}`;
  const code = answer?.ok === false ? answer.code : '';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return `${route}: this route is missing.`;
  if (code === 'ECONNREFUSED' || code === 'EOTHER') {
    return `${route}. Something else answers at ${ip}: CCI uses 10.247.0.0/16 for its own Services, and a cluster with this Service network needs interconnect: agent.`;
  }
  return `${route}. If the route is there, that node must forward the packets (source/destination check off), and security groups must let them through.`;
}

function remedyOfApiServer(view: NetworkView, { asked, apiServer, nameServers }: SideView): string {
  if (view.interconnect === 'off' || view.interconnect === undefined) return switchOn;
  if (asked.name?.answer.ok === false) return remedyOfNames(view, nameServers);
  if (view.interconnect === 'route') return missingRoute(view, apiServer.replace(/:\d+$/, ''), asked.apiServer?.answer);
  return 'Burst pods must reach the addresses of the API server themselves, which "kubectl get endpointslices -n default" lists.';
}

function contains(network: string, address: string): boolean {
  const [base = '', bits = ''] = network.split('/');
  if (!isIPv4(base) || !isIPv4(address)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits));
  return list.check(address);
}
