import { MillraceError } from '@millrace/event'
import { createUniq, type Keyring, rebuildClaims, verifyClaims } from '@millrace/uniq'
import { exitCodes } from './exit-codes.ts'
import { table, type Terminal, withProgress } from './terminal.ts'
import type { UniqSystem } from './uniq-system.ts'

/** Options that every command knows. */
export interface OutputOptions {
  /** JSON on stdout instead of text. */
  readonly json?: boolean
}

/** `millrace uniq get`: the key that holds a value. */
export async function uniqGet(
  uniq: UniqSystem,
  constraint: string,
  values: readonly string[],
  options: OutputOptions,
  terminal: Terminal,
): Promise<number> {
  const live = await liveKeyring(uniq)
  const owner = await createUniq({ ...uniq, keyring: live }).ownerOf(constraint, values)
  if (options.json) terminal.out.write(`${JSON.stringify({ constraint, owner: owner ?? null })}\n`)
  else if (owner === undefined) terminal.err.write('Nobody holds this value.\n')
  else terminal.out.write(`${owner}\n`)
  return owner === undefined ? exitCodes.findings : exitCodes.ok
}

/** `millrace uniq verify`: every difference between claims and log. */
export async function uniqVerify(
  uniq: UniqSystem,
  options: OutputOptions,
  terminal: Terminal,
): Promise<number> {
  const keyring = await liveKeyring(uniq)
  const { claims } = uniq.log
  const report = await withProgress(terminal, 'Reading the log', (progress) =>
    verifyClaims({
      ...{ ...uniq, claims, keyring },
      onProgress: ({ read, total }) => progress.update(read, total),
    }),
  )
  const { differences, undigested } = report
  if (options.json) {
    terminal.out.write(`${JSON.stringify(report)}\n`)
  } else if (differences.length > 0) {
    const rows = differences.map(({ kind, constraint, key, expected, found }) => [
      kind,
      constraint,
      key,
      expected.join(' ') || '-',
      found.join(' ') || '-',
    ])
    terminal.out.write(table([['KIND', 'CONSTRAINT', 'KEY', 'BY THE LOG', 'FOUND'], ...rows]))
  }
  for (const { position, message } of undigested)
    terminal.err.write(`${position} cannot be digested: ${message}\n`)
  const summary = `${report.events} events, ${report.entries} entries, ${differences.length} differences`
  terminal.err.write(
    differences.length > 0 ? `${summary}. Mend them with: millrace uniq rebuild\n` : `${summary}.\n`,
  )
  return differences.length + undigested.length > 0 ? exitCodes.findings : exitCodes.ok
}

/** What a rebuild is to end in. */
export interface RebuildCommand extends OutputOptions {
  /** Refuse claim changes (503) while it runs. */
  readonly closed?: boolean
  /** Keyring version to rotate to; absent: the live ones. */
  readonly to?: string
  /** Do it; without, only say what would be done. */
  readonly yes?: boolean
}

/** `millrace uniq rebuild` and `millrace uniq rotate`. */
export async function uniqRebuild(
  uniq: UniqSystem,
  options: RebuildCommand,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const live = await uniq.log.claims.liveVersions(uniq.topic)
  const keyring = options.to === undefined ? keyringUnder(uniq, live) : keyringOf(uniq, [options.to])
  const tips = await uniq.log.tips(uniq.topic)
  const events = tips.reduce((sum, tip) => sum + tip.seq, 0)
  if (!options.yes) {
    terminal.err.write(
      `Would read ${events} events of ${uniq.topic.name}, make its claims anew under keyring version ${keyring.versions.join(', ')} ` +
        `(live: ${live.join(', ') || 'none yet'}) beside the live ones, and swap them in. ` +
        `${options.closed ? 'Claim changes are refused with 503 until it is done.' : 'Claim changes wait for at most 100 ms at a time.'}\n` +
        `${options.to === undefined ? '' : `Every running Uniq must hold version ${options.to} already, or it answers 503 after the swap.\n`}` +
        'Nothing was done. Add --yes to do it.\n',
    )
    return exitCodes.ok
  }
  const { claims } = uniq.log
  const report = await withProgress(terminal, 'Rebuilding', (progress) =>
    rebuildClaims({
      ...{ ...uniq, claims, keyring, signal },
      ...(options.closed ? { closed: true } : {}),
      onProgress: ({ read, total }) => progress.update(read, total),
    }),
  )
  if (options.json) terminal.out.write(`${JSON.stringify(report)}\n`)
  for (const { constraint, keys } of report.contested)
    terminal.err.write(`${constraint}: one value for the keys ${keys.join(', ')}\n`)
  for (const { position, message } of report.undigested)
    terminal.err.write(`${position} cannot be digested: ${message}\n`)
  if (report.status === 'stopped') {
    terminal.err.write(
      `Stopped after ${report.events} events; the live claims are as they were. The same command goes on from there.\n`,
    )
    return exitCodes.interrupted
  }
  if (report.status === 'contested') {
    terminal.err.write('Not swapped in: settle the owners above first. The live claims are as they were.\n')
    return exitCodes.findings
  }
  terminal.err.write(
    `Swapped in after ${report.events} events; live keyring version: ${keyring.versions.join(', ')}.\n`,
  )
  return exitCodes.ok
}

/** The part of the keyring that the claims are under now; all of it before the first claim. */
async function liveKeyring(uniq: UniqSystem): Promise<Keyring> {
  return keyringUnder(uniq, await uniq.log.claims.liveVersions(uniq.topic))
}

function keyringUnder(uniq: UniqSystem, live: readonly string[]): Keyring {
  return live.length > 0 ? keyringOf(uniq, live) : uniq.keyring
}

/** @throws MillraceError `settings.invalid`: to a service that is a rotation under way, here it is the wrong keyring */
function keyringOf({ keyring }: UniqSystem, versions: readonly string[]): Keyring {
  const missing = versions.find((version) => !keyring.versions.includes(version))
  if (missing === undefined) return keyring.only(versions)
  throw new MillraceError('settings.invalid', `The keyring has no version ${missing}`)
}
