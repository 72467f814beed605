import { maskText } from '@millrace/event'
import { type DestinationStream, destination, type Level, pino, stdTimeFunctions } from 'pino'
import { prettyFactory } from 'pino-pretty'
import { currentContext } from './context.ts'
import { countLine } from './log-counts.ts'
import { allowedFields, type LogFields, visibleFields } from './log-fields.ts'

/** Least level that is written; `silent` writes nothing. */
export type LogLevel = Level | 'silent'

/** Levels in order, for settings. */
export const logLevels = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
  'silent',
] as const satisfies readonly LogLevel[]

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  /** Name of the service; stands in every line. */
  readonly service: string
  /** Default `info`. */
  readonly level?: LogLevel
  /** `json` is one object a line, `pretty` is for people. Default `json`. */
  readonly format?: 'json' | 'pretty'
  /** Names of fields that may be written beside {@link allowedFields}. */
  readonly fields?: readonly string[]
  /** Where the lines go. Default: standard output. */
  readonly destination?: { write(line: string): void }
}

/** Writes log lines. The ids of the running request are added by themselves. */
export interface Logger {
  /** May be set at run time; holds for every child too. */
  level: LogLevel
  trace(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  fatal(message: string, fields?: LogFields): void
  /** A logger whose lines carry these fields too. `service` renames the service: several share a process. */
  child(fields: LogFields & { readonly service?: string }): Logger
}

/**
 * Makes a logger that cannot leak: only allowed fields are written, never objects, and texts are masked.
 * Lines are written at once, so that none is lost with the process.
 */
export function createLogger(options: LoggerOptions): Logger {
  const allowed = new Set<string>([...allowedFields, ...(options.fields ?? [])])
  const root = pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      // Errors are described (and masked) already; pino's own serializer would do it again.
      serializers: { err: (described: unknown) => described },
      formatters: { level: (label) => ({ level: label }) },
    },
    streamOf(options),
  )
  const make = (service: string, bound: LogFields): Logger => {
    const write = (level: Level) => (message: string, fields?: LogFields) => {
      // Before anything is built: a level that is off costs next to nothing.
      if (!root.isLevelEnabled(level)) return
      countLine(level)
      root[level](
        { service, ...idsOfNow(), ...visibleFields({ ...bound, ...fields }, allowed) },
        maskText(message),
      )
    }
    return {
      get level() {
        return root.level as LogLevel
      },
      set level(level: LogLevel) {
        root.level = level
      },
      trace: write('trace'),
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      fatal: write('fatal'),
      child: ({ service: name, ...fields }) => make(name ?? service, { ...bound, ...fields }),
    }
  }
  return make(options.service, {})
}

function idsOfNow(): Record<string, string> {
  const context = currentContext()
  if (!context) return {}
  const { correlationId, causationId, traceparent } = context
  const [, traceid, spanid] = traceparent?.split('-') ?? []
  return {
    // A timer that fires has none until its operator is known.
    ...(correlationId === '' ? {} : { correlationid: correlationId }),
    ...(causationId === undefined ? {} : { causationid: causationId }),
    ...(traceid === undefined || spanid === undefined ? {} : { traceid, spanid }),
  }
}

function streamOf(options: LoggerOptions): DestinationStream {
  const out = options.destination ?? standardOutput()
  if (options.format !== 'pretty') return out
  // pino-pretty as a function in this process: its stream would be a worker thread of its own.
  const pretty = prettyFactory({
    colorize: options.destination === undefined && process.stdout.isTTY,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'service,spanid',
    messageFormat: '{service}: {msg}',
    errorLikeObjectKeys: ['err'],
  })
  return {
    write: (line) => {
      out.write(pretty(line))
    },
  }
}

function standardOutput(): DestinationStream {
  const out = destination({ fd: 1, sync: true })
  // Whoever read the log is gone: that is no reason to stop the service.
  out.on('error', () => undefined)
  return out
}
