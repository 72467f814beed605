/** A service of a compose file, as far as we use it. */
export interface ComposeService {
  readonly image?: string
  readonly build?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly restart?: string
}

/** A compose file with its anchors merged. */
export interface ComposeFile {
  readonly name: string
  readonly services: Readonly<Record<string, ComposeService>>
  readonly volumes: Readonly<Record<string, null>>
}

/** What a compose file is judged against. */
export interface Surroundings {
  /** Whether a file or directory is there, relative to the compose file. */
  exists(path: string): boolean
  /** The Dockerfile of what is built here. */
  readonly dockerfile: string
  /** Variables that its page documents. */
  readonly documented: readonly string[]
  /** Settings of our services. */
  readonly settings: readonly string[]
}

const serviceKeys = new Set(
  'build image restart depends_on stop_grace_period deploy command environment ports volumes healthcheck'.split(
    ' ',
  ),
)

/** Ports that an image listens on without being told in the file. */
const knownPorts: Readonly<Record<string, readonly number[]>> = {
  redis: [6379],
  postgres: [5432],
  mailbox: [1025, 8025],
  traces: [16686, 4318],
  prometheus: [9090],
  grafana: [3000],
}

/** Ports of our services by the name that they are started with. */
const ourPorts: Readonly<Record<string, number>> = {
  gateway: 3000,
  uniq: 3001,
  ops: 3002,
  'user-command': 3004,
  'user-query': 3005,
  leads: 3007,
  'legacy-leads': 3008,
  purchasing: 3009,
  restocking: 3010,
  planner: 3011,
}

/** The rule: whatever the file names is there; every container is looked after, and reachable from here alone. */
export function composeFaults(text: string, file: ComposeFile, around: Surroundings): string[] {
  return [
    ...variableFaults(text, around.documented),
    ...volumeFaults(file),
    ...Object.entries(file.services).flatMap(([name, service]) =>
      serviceFaults(name, service, file, around).map((fault) => `${name}: ${fault}`),
    ),
  ]
}

function variableFaults(text: string, documented: readonly string[]): string[] {
  const used = new Set([...text.matchAll(/\$\{([A-Z_]+)/g)].map(([, name = '']) => name))
  return [
    ...[...used].filter((name) => !documented.includes(name)).map((name) => `${name}: not documented`),
    ...documented.filter((name) => !used.has(name)).map((name) => `${name}: documented and not used`),
  ]
}

function volumeFaults({ services, volumes }: ComposeFile): string[] {
  const used = new Set(
    Object.values(services).flatMap((one) => (one.volumes ?? []).map((at) => sourceOf(at))),
  )
  return Object.keys(volumes).flatMap((name) => (used.has(name) ? [] : [`volume ${name}: nobody uses it`]))
}

function serviceFaults(
  name: string,
  service: ComposeService,
  file: ComposeFile,
  around: Surroundings,
): string[] {
  const { build, image = '', environment = {}, command = [] } = service
  const isOurs = build !== undefined
  const faults: string[] = Object.keys(service)
    .filter((key) => !serviceKeys.has(key))
    .map((key) => `unknown key ${key}`)
  if (isOurs) {
    if (!around.exists('Dockerfile')) faults.push('no Dockerfile')
    if (!around.dockerfile.includes(JSON.stringify(command.slice(0, 3)).replaceAll(',', ', ')))
      faults.push('does not start what the Dockerfile starts')
    for (const setting of Object.keys(environment))
      if (!around.settings.includes(setting)) faults.push(`${setting} is no setting`)
  } else if (!/^[\w./-]+:v?\d+\.?\d*[\w.-]*$/.test(image)) faults.push(`image ${image} has no version`)
  if (service.restart === undefined) faults.push('is not started again')
  if (!isWatched(service, around)) faults.push('has no health check')
  for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
    const target = file.services[other]
    if (target === undefined) faults.push(`depends on ${other}, which is not there`)
    else if (condition !== 'service_healthy' || !isWatched(target, around))
      faults.push(`does not wait for ${other}`)
  }
  for (const at of service.volumes ?? []) {
    const source = sourceOf(at)
    if (source.startsWith('.') ? !around.exists(source) : !(source in file.volumes))
      faults.push(`${source} is not there`)
  }
  for (const port of service.ports ?? []) {
    const inside = Number(port.split(':').at(-1))
    if (!port.startsWith('127.0.0.1:')) faults.push(`port ${port} is open to others`)
    if (!portsOf(name, service).includes(inside)) faults.push(`does not listen on ${inside}`)
  }
  return [...faults, ...addressFaults(environment, file)]
}

function isWatched({ build, healthcheck }: ComposeService, { dockerfile }: Surroundings): boolean {
  return healthcheck !== undefined || (build !== undefined && /^HEALTHCHECK /m.test(dockerfile))
}

/** Hosts in addresses are services, on ports that these listen on. */
function addressFaults(environment: Readonly<Record<string, string>>, file: ComposeFile): string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    const [, host = '', port = ''] = /^\w+:\/\/(?:[^@/]*@)?([a-z][\w-]*):(\d+)/.exec(value) ?? []
    if (host === '') return []
    const target = file.services[host]
    const isThere = target !== undefined && portsOf(host, target).includes(Number(port))
    return isThere ? [] : [`${name}: nobody listens at ${host}:${port}`]
  })
}

/** The ports that a service listens on. */
export function portsOf(name: string, { build, command = [] }: ComposeService): readonly number[] {
  if (build === undefined) return knownPorts[name] ?? []
  const only = command[command.indexOf('--only') + 1] ?? ''
  return only.split(',').flatMap((one) => ourPorts[one] ?? [])
}

const sourceOf = (volume: string) => volume.split(':')[0] ?? ''
