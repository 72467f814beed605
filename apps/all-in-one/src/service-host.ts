/** A service process: runs the services that the supervisor names until it says stop or is gone. */
import { Worker } from 'node:worker_threads'
import { createLogger, handleProcess, Lifecycle } from '@millrace/service'
import { beingStarted } from './being-started.ts'
import type { HostOrder, HostReport } from './host-messages.ts'
import { type ProcessKit, processKit } from './process-kit.ts'
import { processTracing } from './process-tracing.ts'
import type { Fetch, RunningService, ServiceContext, ServiceFactory } from './service-factory.ts'
import { serviceRegistry } from './services.ts'

/** Shorter than the supervisor's patience, so that it is told what did not stop. */
const stopTimeoutMs = 12_000
const orphanGraceMs = 15_000

function contextOf(order: HostOrder, kit: ProcessKit): ServiceContext {
  const published = new Map<string, Fetch>()
  const { names, ...rest } = order
  return {
    ...rest,
    together: names,
    kit,
    publish: (name, fetch) => void published.set(name, fetch),
    peer: (name) => published.get(name),
  }
}

function partOf(factory: ServiceFactory, context: ServiceContext) {
  let running: RunningService | undefined
  return {
    name: factory.name,
    start: async () => {
      running = await factory.start(context)
    },
    stop: async () => await running?.stop(),
  }
}

async function run(order: HostOrder): Promise<void> {
  const { LOG_LEVEL: level, LOG_FORMAT: format } = order.settings
  const logger = createLogger({
    service: order.names.length === 1 ? (order.names[0] ?? '') : 'millrace',
    level,
    format,
  })
  // A consumer finishes what is in hand; without Redis that takes its full bound.
  const lifecycle = new Lifecycle({ logger, stopTimeoutMs: 9_000 })
  const tracing = await processTracing(order, logger)
  const kit = processKit(logger, order.redisUrl, tracing?.sampler)
  // Added first, so that they are closed last.
  if (tracing) lifecycle.add({ name: 'traces', stop: () => tracing.stop() })
  lifecycle.add({ name: 'connections', stop: () => kit.close() })
  const started = beingStarted(kit.health)
  const context = contextOf(order, kit)
  for (const factory of serviceRegistry)
    if (order.names.includes(factory.name)) lifecycle.add(partOf(factory, context))
  handleProcess({ logger, stop: () => lifecycle.stop(), stopTimeoutMs })
  // The channel closes when the supervisor asks us to stop, and when it is gone.
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  try {
    await lifecycle.start()
    started()
    report({ type: 'ready' })
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    report({ type: 'failed', message }, () => process.exit(1))
  }
}

function report(message: HostReport, sent: () => void = () => undefined): void {
  process.send?.(message, undefined, undefined, sent)
}

new Worker(new URL('./orphan-guard.ts', import.meta.url), {
  workerData: { parent: process.ppid, graceMs: orphanGraceMs },
}).unref()
// Whoever read our output may be gone (`npm start | head`); that is no reason to stop serving.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
process.once('message', (order: HostOrder) => void run(order))
